import pytest
import torch

from understudy.core.types import StepOutput
from understudy.engine.meter import Meter


def output(value: float) -> StepOutput:
    loss = torch.tensor(value)
    return StepOutput(loss=loss, terms={"label": loss * 2}, size=4)


def test_means_are_over_the_steps_since_the_last_reading() -> None:
    meter = Meter()
    meter.add(output(9.0), spoiled=torch.tensor(0.0))
    meter.read()
    for value in (1.0, 3.0):
        meter.add(output(value), spoiled=torch.tensor(0.0))

    means, spoiled = meter.read()

    assert (means["loss"], means["label"], spoiled) == (2.0, 4.0, 0)
    assert means["images_per_second"] == pytest.approx(means["images_per_second"])


def test_a_spoiled_step_is_counted_and_left_out() -> None:
    meter = Meter()
    meter.add(output(1.0), spoiled=torch.tensor(0.0))
    meter.add(output(float("nan")), spoiled=torch.tensor(1.0))

    means, spoiled = meter.read()

    assert (means["loss"], spoiled) == (1.0, 1)


def test_a_sum_beyond_the_numbers_has_no_mean() -> None:
    meter = Meter()
    for _ in range(2):
        meter.add(output(3e38), spoiled=torch.tensor(0.0))

    means, spoiled = meter.read()

    assert (means["loss"], spoiled) == (None, 0)


def test_no_sound_step_has_no_mean() -> None:
    meter = Meter()
    meter.add(output(float("inf")), spoiled=torch.tensor(1.0))

    means, spoiled = meter.read()

    assert (means["loss"], spoiled) == (None, 1)
