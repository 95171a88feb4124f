import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
