"""A time limit divided; that it is measured is tested where stages run."""

import pytest

from understudy.engine.plan import PlanSettings
from understudy.studies.budget import LEAST_EPOCHS, Cost, _cost, epochs_within

SHARES = {"pretrain.epochs": 0.5, "distill.epochs": 0.25}


def costs(*, fine_tuning: float = 0, students: int = 1) -> list[Cost]:
    """One pretraining and one teacher for a baseline and so many students."""
    return [
        Cost(seconds=300, epoch=10, of="pretrain.epochs"),
        Cost(seconds=fine_tuning, epoch=0.1, of=""),
        *[Cost(seconds=60, epoch=2, of="distill.epochs")] * (1 + students),
    ]


@pytest.mark.parametrize("fine_tuning", [0, 120, 300])
@pytest.mark.parametrize("students", [1, 7])
def test_each_share_of_what_other_trainings_leave_is_spent(
    fine_tuning: float, students: int
) -> None:
    found = epochs_within(SHARES, costs(fine_tuning=fine_tuning, students=students), 6000)

    left = 6000 - fine_tuning
    assert found["pretrain.epochs"] * 10 == pytest.approx(0.5 * left, rel=0.01)
    assert found["distill.epochs"] * 2 * (1 + students) == pytest.approx(0.25 * left, rel=0.01)


def test_a_step_of_a_small_batch_costs_its_share_of_a_large_one() -> None:
    """Twelve epochs cost what they cost; a step of 256 images as much as eight of 32."""
    seen = {"seconds_per_epoch": 10.0, "epochs": 0.5, "steps": 5}
    tried = PlanSettings(steps=5, batch_size=32)

    by_steps = _cost(PlanSettings(steps=100, batch_size=256), tried, seen)
    by_epochs = _cost(PlanSettings(epochs=12, batch_size=256), tried, seen)

    assert by_steps.seconds == pytest.approx(100 * 8 * 1.0)
    assert by_epochs.seconds == pytest.approx(120)


def test_a_limit_that_is_too_short_leaves_one_epoch_each() -> None:
    found = epochs_within(SHARES, costs(fine_tuning=900), 600)

    assert set(found.values()) == {LEAST_EPOCHS}
