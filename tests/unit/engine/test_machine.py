import pytest
import torch

from understudy.core.errors import MissingResourceError, UsageError
from understudy.core.settings import checked
from understudy.engine.machine import Choice, MachineSettings


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
