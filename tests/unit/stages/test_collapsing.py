from pathlib import Path
from typing import Any

import pytest

from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.core.run import Run
from understudy.evaluation.collapse import Division, Extent
from understudy.stages.collapsing import collapses, hears

WIDE = Extent(spread=0.5, effective_rank=30.0, dimensions=64)
NARROW = Extent(spread=0.03, effective_rank=1.2, dimensions=128)


class Heard(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def run(tmp_path: Path, heard: Heard) -> Run:
    return Run(
        tmp_path,
        stage="pretrain",
        name="byol",
        shared=tmp_path,
        identity="0" * 12,
        progress=heard,
        interrupts=Interrupts(),
    )


def looked(run: Run, step: int, *, steps: int = 100, **judged: Extent | Division) -> bool:
    """An observation as the loop makes it: the meter's line first, then the look's."""
    place: dict[str, Any] = {"step": step, "epoch": step / 10}
    run.log({**place, "phase": "train", "loss": 1.0})
    found = hears(run, judged, steps=steps)
    seen = {
        "collapsed": float(found.anything),
        "features_collapsed": float(found.features),
        **({"groups": 1.0} if "assignments" in judged else {}),
    }
    run.log({**place, "phase": "validation", **seen})
    return found.anything


def test_a_collapse_and_its_end_are_each_said_once(run: Run, heard: Heard) -> None:
    seen = [
        looked(run, step, features=WIDE, projections=projections)
        for step, projections in enumerate([WIDE, NARROW, NARROW, WIDE, WIDE, NARROW], start=6)
        for step in [10 * step]
    ]

    assert seen == [False, True, True, False, False, True]
    began, ended, again = heard.lines
    assert began.startswith(
        "pretrain byol: collapsing at step 70, images come to look alike in the projections, not "
        "in the features: features have 50 % of the spread of unit vectors in all directions and "
        "an effective rank of 30.0 of 64; projections have 3 % of the spread of unit vectors in "
        "all directions and an effective rank of 1.2 of 128. What"
    )
    assert ended.startswith("pretrain byol: no longer collapsed at step 90: features have 50 %")
    assert "collapsing at step 110" in again


def test_before_batch_norm_has_settled_nothing_is_called_so(run: Run, heard: Heard) -> None:
    assert [looked(run, step, features=NARROW) for step in (10, 49, 50)] == [False, False, True]
    assert len(heard.lines) == 1


def test_another_process_goes_on_where_the_log_stands(run: Run, heard: Heard) -> None:
    """The observer remembers nothing by itself, so a resume takes up the log alone."""
    looked(run, 60, features=NARROW)
    heard.lines.clear()

    looked(run, 70, features=NARROW)
    looked(run, 80, features=WIDE)

    assert [line.split(":")[1] for line in heard.lines] == [" no longer collapsed at step 80"]


@pytest.mark.parametrize(
    ("extents", "expected"),
    [
        ([WIDE, WIDE], []),
        (
            [WIDE, NARROW, NARROW],
            [
                "The features are collapsed since step 70: to the network images "
                "look nearly alike, and what starts from it may inherit that."
            ],
        ),
        (
            [NARROW, NARROW, WIDE],
            ["The features were collapsed between steps 60 and 70, and were not at the end."],
        ),
        (
            [WIDE, NARROW, WIDE],
            ["The features were collapsed at step 70, and were not at the end."],
        ),
        (
            [WIDE, NARROW],
            [
                "The features are collapsed at step 70: to the network images look "
                "nearly alike, and what starts from it may inherit that."
            ],
        ),
        (
            [NARROW, WIDE, NARROW, NARROW],
            [
                "The features are collapsed since step 80: to the network images "
                "look nearly alike, and what starts from it may inherit that."
            ],
        ),
    ],
)
def test_the_summary_tells_when(run: Run, extents: list[Extent], expected: list[str]) -> None:
    for number, one in enumerate(extents):
        looked(run, 60 + 10 * number, features=one)

    assert collapses(run) == expected


def test_a_run_that_watched_nothing_has_nothing_to_note(run: Run) -> None:
    assert collapses(run) == []


def test_that_the_features_follow_is_said_again_and_noted(run: Run, heard: Heard) -> None:
    looked(run, 50, features=WIDE, projections=NARROW)
    looked(run, 60, features=WIDE, projections=NARROW)
    first = collapses(run)
    looked(run, 70, features=NARROW, projections=NARROW)
    worse = collapses(run)
    looked(run, 80, features=WIDE, projections=NARROW)

    assert len(heard.lines) == 2
    assert "at step 70, images come to look alike in the features and the proj" in heard.lines[1]
    assert first == [
        "The projections are collapsed since step 50, and the features are not at the end: the "
        "backbone tells images apart, but the method hardly does, and so teaches it little."
    ]
    assert worse[0].startswith("The features are collapsed at step 70: ")
    assert collapses(run)[0].startswith("The projections are collapsed since step 50, ")
    looked(run, 90, features=WIDE, projections=WIDE)
    assert collapses(run) == ["The features were collapsed at step 70, and were not at the end."]


def test_assignments_may_be_alike_in_the_first_tenth(run: Run, heard: Heard) -> None:
    """DINO's plain head begins so; features are judged from step 50 on, as ever."""
    alike = Division(1.0)

    seen = [looked(run, step, steps=2000, features=WIDE, assignments=alike) for step in (199, 200)]

    assert seen == [False, True]
    assert "look alike in the assignments, not in the features" in heard.lines[0]
    assert "assignments to prototypes divide images into 1.00 groups" in heard.lines[0]
    assert collapses(run)[0].startswith("The assignments are collapsed at step 200")
    assert looked(run, 210, steps=9999, features=NARROW, assignments=alike)
    assert "alike in the features: " in heard.lines[1]
