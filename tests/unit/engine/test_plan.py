import pytest

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


@pytest.mark.parametrize("steps", [1, 7, 10, 99, 1000])
def test_the_last_step_is_observed_and_about_as_many_others_as_asked(steps: int) -> None:
    plan = PlanSettings(steps=steps, observations=10).over(100)

    observed = [step for step in range(1, steps + 1) if plan.observes_after(step)]

    assert observed[-1] == steps
    assert min(steps, 10) <= len(observed) <= 11
