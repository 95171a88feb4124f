import gc

import pytest
import torch

from understudy.core.errors import MissingResourceError, UsageError
from understudy.core.settings import checked
from understudy.core.types import Batch, Tap
from understudy.engine.machine import Choice, MachineSettings, forget_compiled
from understudy.guidance.teacher import Teacher
from understudy.models.frozen import Frozen
from understudy.models.network import NetworkSettings


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a GPU that is not there")
def test_a_device_that_is_not_here_is_named_with_those_that_are() -> None:
    with pytest.raises(MissingResourceError, match=r"cuda: not here\. Found: cpu") as caught:
        MachineSettings(device="cuda").build_device()

    assert caught.value.exit_code == 7


def test_an_unknown_device_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="device"):
        checked(MachineSettings, {"device": "tpu"}, "recipe")


def test_a_choice_says_in_words_what_it_is() -> None:
    assert str(Choice("bf16", channels_last=True, compiled=True)) == "bf16 channels_last compiled"
    assert str(Choice("fp32", channels_last=False, compiled=False)) == "fp32 contiguous"


def test_what_was_compiled_for_one_training_answers_no_other() -> None:
    """Sets of taps that come to lie at the same place in memory are one to the compiler."""
    settings = NetworkSettings.model_validate(
        {
            "backbone": {"kind": "cifar_resnet", "depth": 8, "width": 0.25},
            "channels": 1,
            "size": 8,
            "classes": ["a", "b"],
        }
    )
    images, index = torch.rand(2, 1, 8, 8), torch.arange(2)
    for tap in (Tap.STAGES, Tap.POOLED) * 2:
        forget_compiled()
        network = settings.build(mean=[0.5], std=[0.5], seed=1)
        teacher = Teacher(Frozen(network), taps=frozenset([tap]))
        teacher.compile(backend="eager")

        (answer,) = teacher(Batch((images,), None, index, (index,)))

        assert (answer.pooled is not None) == (tap is Tap.POOLED)
        assert bool(answer.stages) == (tap is Tap.STAGES)
        del teacher, answer
        gc.collect()
