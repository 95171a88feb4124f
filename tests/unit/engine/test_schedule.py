import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from understudy.engine.schedule import ScheduleSettings, learning_rate_factor


def test_warm_up_is_a_line_from_zero_to_the_peak() -> None:
    schedule = ScheduleSettings(warmup=0.2)

    assert [schedule.factor(progress) for progress in (0, 0.05, 0.1, 0.2)] == [0, 0.25, 0.5, 1]


def test_the_cosine_is_half_way_down_in_the_middle_and_ends_at_its_final_share() -> None:
    schedule = ScheduleSettings(shape="cosine", warmup=0.0, final=0.1)

    assert schedule.factor(0.5) == pytest.approx(0.55)
    assert schedule.factor(0.25) == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2)
    assert schedule.factor(1.0) == pytest.approx(0.1)


@given(
    progress=st.floats(0, 1),
    shape=st.sampled_from(["cosine", "linear", "constant"]),
    warmup=st.floats(0, 1),
    final=st.floats(0, 1),
)
def test_the_rate_never_leaves_zero_to_its_peak(
    progress: float, shape: str, warmup: float, final: float
) -> None:
    factor = learning_rate_factor(progress, shape=shape, warmup=warmup, final=final)

    assert -1e-9 <= factor <= 1 + 1e-9


def test_steps_fall_at_their_milestones_as_the_usual_recipe_does() -> None:
    """240 epochs, a tenth of the rate after 150, 180 and 210."""
    schedule = ScheduleSettings(shape="steps", warmup=0, milestones=(0.625, 0.75, 0.875))

    rates = {epoch: schedule.factor(epoch / 240) for epoch in (0, 149, 150, 179, 180, 210, 240)}

    assert rates == pytest.approx(
        {0: 1, 149: 1, 150: 0.1, 179: 0.1, 180: 0.01, 210: 0.001, 240: 0.001}
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": "steps"},
        {"milestones": (0.5,)},
        {"shape": "steps", "milestones": (0.5, 0.4)},
        {"shape": "steps", "milestones": (0.5, 0.5)},
        {"shape": "steps", "milestones": (0.5,), "final": 0.1},
        {"shape": "constant", "final": 0.1},
    ],
)
def test_a_schedule_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"milestones|final"):
        ScheduleSettings.model_validate(wrong)
