import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from understudy.core.errors import InterruptedRunError
from understudy.core.interrupts import stopped
from understudy.core.progress import Silent
from understudy.core.types import Batch
from understudy.engine import machine
from understudy.engine.machine import Choice, MachineSettings
from understudy.engine.measure import chosen
from understudy.guidance.guide import unguided
from understudy.methods.supervised import Supervised
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import NetworkSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import combine

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _has_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every machine, the tests measure what one with such instructions does."""
    monkeypatch.setattr(machine, "_flags", lambda: {"avx512_bf16"})


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def method() -> Supervised:
    settings = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5),
        channels=1,
        size=8,
        classes=("a", "b"),
        projector=None,
    )
    student = settings.build(mean=[0.5], std=[0.2], seed=0)
    return Supervised(
        student,
        combine([LabelSettings()], student=student.shape, guidance=None, images=torch.arange(4)),
    )


def batches(choice: Choice) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(16, 1, 8, 8, generator=generator)
    return Batch(
        views=(images.contiguous(memory_format=choice.memory_format),),
        labels=torch.arange(16) % 2,
        index=torch.arange(16),
        view_ids=(torch.zeros(16, dtype=torch.int64),),
    )


@pytest.fixture
def choose(tmp_path: Path) -> Callable[..., tuple[Choice, dict[str, Any]]]:
    def call(
        settings: MachineSettings, learner: Supervised, **changed: Any
    ) -> tuple[Choice, dict[str, Any]]:
        given: dict[str, Any] = {
            "steps": 10,
            "progress": Silent(),
            "subject": {"batch": 16},
            "earlier": None,
        }
        return chosen(
            settings,
            method=learner,
            guide=unguided,
            batches=batches,
            device=CPU,
            shared=tmp_path,
            **{**given, **changed},
        )

    return call


def test_measuring_leaves_the_method_as_it_was(choose: Callable[..., Any]) -> None:
    learner = method()
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    torch.manual_seed(3)
    random = torch.get_rng_state()

    choose(MachineSettings(), learner)

    assert all(torch.equal(before[name], value) for name, value in learner.state_dict().items())
    assert all(weight.grad is None for weight in learner.parameters())
    assert torch.equal(random, torch.get_rng_state())


def test_every_allowed_way_is_measured_against_fp32(choose: Callable[..., Any]) -> None:
    choice, record = choose(MachineSettings(), method())

    assert set(record["measured"]) == {
        f"{precision} {layout}"
        for precision in ("fp32", "bf16")
        for layout in ("contiguous", "channels_last")
    }
    assert record["measured"][str(choice)]["sound"]
    fastest = min(
        (seen["seconds_per_step"], name)
        for name, seen in record["measured"].items()
        if seen["sound"]
    )
    assert fastest[1] == str(choice)


def test_bf16_is_not_tried_on_a_processor_known_to_have_no_instructions_for_it(
    choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiling for it took as long as the training of a hundred steps, and never paid."""
    monkeypatch.setattr(machine, "_flags", lambda: {"avx2", "avx512f"})
    _, measured = choose(MachineSettings(), method())
    asked_for, _ = choose(MachineSettings(precision="bf16"), method())
    monkeypatch.setattr(machine, "_flags", set)
    _, unknown = choose(MachineSettings(), method(), subject={"batch": 17})

    assert set(measured["measured"]) == {"fp32 contiguous", "fp32 channels_last"}
    assert asked_for.precision == "bf16"
    assert "bf16 contiguous" in unknown["measured"]


def test_the_choice_is_made_once_for_all_runs_of_a_subject(choose: Callable[..., Any]) -> None:
    told = Told()

    first, _ = choose(MachineSettings(), method(), progress=told)
    said = len(told.lines)
    second, _ = choose(MachineSettings(), method(), progress=told)

    assert first == second
    assert len(told.lines) == said > 0


def test_a_trial_that_may_not_compile_measures_for_the_training_that_may(
    choose: Callable[..., Any],
) -> None:
    told = Told()
    choose(MachineSettings(compile="never"), method(), steps=3, progress=told)
    said = len(told.lines)

    choose(MachineSettings(), method(), steps=12, progress=told)

    assert len(told.lines) == said > 0


def test_a_way_that_computes_something_else_is_ruled_out(
    choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = method()
    honest = learner.forward

    def wrong_in_bf16(batch: Batch, guidance: None) -> Any:
        output = honest(batch, guidance)
        return output._replace(loss=output.loss * (3 if torch.is_autocast_enabled("cpu") else 1))

    monkeypatch.setattr(learner, "forward", wrong_in_bf16)

    choice, record = choose(MachineSettings(), learner)

    assert choice.precision == "fp32"
    assert not record["measured"]["bf16 contiguous"]["sound"]


def test_a_way_that_does_not_work_is_ruled_out_with_its_reason(
    choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = method()
    honest = learner.forward

    def broken_in_bf16(batch: Batch, guidance: None) -> Any:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("no such kernel")
        return honest(batch, guidance)

    monkeypatch.setattr(learner, "forward", broken_in_bf16)

    choice, record = choose(MachineSettings(), learner)

    assert choice.precision == "fp32"
    assert "no such kernel" in record["measured"]["bf16 channels_last"]["error"]


def test_a_way_that_is_far_slower_is_given_up_after_one_step(
    choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a processor without bf16, measuring its steps to the end took minutes."""
    learner = method()
    honest = learner.forward
    steps = []

    def slow_in_bf16(batch: Batch, guidance: None) -> Any:
        if torch.is_autocast_enabled("cpu"):
            steps.append(batch)
            time.sleep(1.0)
        return honest(batch, guidance)

    monkeypatch.setattr(learner, "forward", slow_in_bf16)
    choose(MachineSettings(precision="fp32"), learner)  # the process's own first step is long too

    choice, record = choose(MachineSettings(), learner, subject={"batch": 17})

    assert choice.precision == "fp32"
    assert len(steps) == 2  # one in each layout
    assert record["measured"]["bf16 contiguous"]["seconds_per_step"] >= 1.0


def test_a_signal_while_measuring_is_no_fault_of_a_candidate(
    choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = method()

    def stopped_in_bf16(batch: Batch, guidance: None) -> Any:  # noqa: ARG001
        raise stopped(signal.SIGTERM)

    monkeypatch.setattr(learner, "forward", stopped_in_bf16)

    with pytest.raises(InterruptedRunError):
        choose(MachineSettings(), learner)


@pytest.mark.parametrize("factor", [float("nan"), 0.0])
def test_a_step_that_cannot_be_compared_is_computed_plainly(
    factor: float, choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The guard of the loop judges it then; there is nothing wrong with the machine.

    Nothing is kept of it, or every later training of this network would be computed plainly, too.
    """
    learner = method()
    honest = learner.forward

    def odd(batch: Batch, guidance: None) -> Any:
        output = honest(batch, guidance)
        return output._replace(loss=output.loss * factor)

    monkeypatch.setattr(learner, "forward", odd)

    choice, _ = choose(MachineSettings(compile="never"), learner)

    assert choice == Choice("fp32", channels_last=False, compiled=False)
    assert not list((tmp_path / "machine").glob("*.json"))


def test_an_interrupted_run_goes_on_as_it_began(choose: Callable[..., Any]) -> None:
    began = {"choice": {"precision": "bf16", "channels_last": True, "compiled": False}}

    choice, record = choose(MachineSettings(precision="fp32"), method(), earlier=began)

    assert choice == Choice("bf16", channels_last=True, compiled=False)
    assert record == began


def test_what_the_user_fixed_is_not_measured(choose: Callable[..., Any]) -> None:
    settings = MachineSettings(precision="fp32", memory_format="channels_last", compile="never")

    choice, record = choose(settings, method())

    assert choice == Choice("fp32", channels_last=True, compiled=False)
    assert record["measured"] == {}


def test_a_short_run_is_never_compiled(choose: Callable[..., Any]) -> None:
    _, record = choose(MachineSettings(), method(), steps=1)

    assert not any("compiled" in name for name in record["measured"])


@pytest.mark.slow
def test_a_compiled_step_computes_the_same(choose: Callable[..., Any]) -> None:
    settings = MachineSettings(precision="fp32", memory_format="contiguous", compile="measure")

    _, record = choose(settings, method(), steps=10**9)

    compiled = record["measured"]["fp32 contiguous compiled"]
    assert compiled["sound"]
    assert compiled["loss_difference"] < 1e-4
