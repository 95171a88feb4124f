from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.engine.plan import PlanSettings


def test_epochs_become_steps_over_the_images() -> None:
    plan = PlanSettings(epochs=2.5, batch_size=32).over(100)

    assert plan.steps == 8
    assert plan.epoch(plan.steps) == pytest.approx(2.56)


@pytest.mark.parametrize("values", [{}, {"epochs": 1, "steps": 1}])
def test_a_plan_has_one_length(values: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="`epochs` or `steps`"):
        checked(PlanSettings, values, "recipe")


@given(steps=st.integers(1, 3000), asked=st.integers(1, 100))
def test_as_many_observations_as_asked_evenly_and_one_at_the_end(steps: int, asked: int) -> None:
    plan = PlanSettings(steps=steps, observations=asked).over(100)

    observed = [step for step in range(1, steps + 1) if plan.observes_after(step)]

    assert len(observed) == min(steps, asked)
    assert observed[-1] == steps
    gaps = {later - earlier for earlier, later in pairwise([0, *observed])}
    assert max(gaps) - min(gaps) <= 1
