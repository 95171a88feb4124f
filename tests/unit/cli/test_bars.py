"""Lines for a screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from understudy.cli.bars import Shown, clock, lines, shortened

TEXT = st.text(st.sampled_from("abc, :0-√é学習"), max_size=120)
SHOWN = st.builds(
    Shown,
    TEXT,
    TEXT,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.none() | st.floats(0, 1e7),
    st.booleans(),
)


@given(st.lists(SHOWN, max_size=6), st.lists(SHOWN, max_size=2), st.integers(1, 200))
def test_nothing_is_wider_than_the_screen(
    trials: list[Shown], others: list[Shown], width: int
) -> None:
    drawn = lines(trials, others, width=width, height=50)

    assert len(drawn) == len(trials) + len(others)
    assert all(row.cell_len <= width for row in drawn)


@given(st.integers(0, 200), st.integers(4, 60))
def test_nothing_is_higher_than_the_screen(count: int, height: int) -> None:
    """The total stays, and what has no room is counted."""
    drawn = lines([Shown("trial")] * count, [Shown("all", is_whole=True)], width=80, height=height)
    named = [row.plain.strip() for row in drawn]

    assert len(drawn) < height
    assert named[-1].startswith("all")
    hidden = count - named.count("trial")
    assert (f"and {hidden} more" in named) == (hidden > 0)
    assert hidden != 1, "one more line would say more"


@given(TEXT, st.integers(0, 130))
def test_a_title_fits_and_is_left_alone_where_it_does(title: str, width: int) -> None:
    told = shortened(title, width)

    assert cell_len(told) <= width
    if cell_len(title) <= width:
        assert told == title


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (80, "student, elsewhere adam, expanded, fraction 0.01, MobileNetV3: distill"),
        (60, "student, else…adam, expanded, frac…0.01, Mobil…etV3: distill"),
        (48, "stu…nt, els…am, exp…ed, fra…01, Mob…tV3: distill"),
    ],
)
def test_long_parts_lose_their_middles_and_each_is_still_told(width: int, told: str) -> None:
    whole = "student, elsewhere adam, expanded, fraction 0.01, MobileNetV3: distill"

    assert shortened(whole, width) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "-:--"), (0.4, "0:00"), (12, "0:12"), (3599, "59:59"), (3723, "1:02:03")],
)
def test_a_clock_is_as_short_as_it_can_be(seconds: float | None, told: str) -> None:
    assert clock(seconds) == told


@given(st.floats(0, 1e9))
def test_a_clock_keeps_its_columns(seconds: float) -> None:
    assert len(clock(seconds)) <= 7


def test_trials_stand_in_columns() -> None:
    drawn = lines(
        [
            Shown("student, ResNet-8: distill", "loss 2.301", 45, 100, 12),
            Shown("wide: bank", "", 1, 100),
            Shown("teacher"),
        ],
        [Shown("study: 6 runs", "about 12 min left", 1, 6, is_whole=True)],
        width=80,
        height=24,
    )

    assert [row.plain.rstrip() for row in drawn] == [
        "student, ResNet-8: distill  45%    0:12 loss 2.301",
        "wide: bank                   1%    -:--",
        "teacher",
        "study: 6 runs ━━━━──────────────────── 1 of 6, about 12 min left",
    ]
