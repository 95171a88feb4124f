"""Teachers in the loop: what they must not do, and what is said where they are broken."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.stage.conftest import Launcher, spoiled_copy

from understudy.core.errors import DivergedError
from understudy.guidance.teacher import Teacher
from understudy.methods.distilled import Distilled
from understudy.stages import distill as stage
from understudy.stages import sources
from understudy.stages.launch import Launched


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("term", ["soft_label", "hard_label"])
def test_a_teacher_that_answers_with_what_is_not_finite_is_named(
    go: Launcher, teacher: Launched, tmp_path: Path, term: str, value: float
) -> None:
    """`hard_label` makes a finite loss of such answers."""
    broken = spoiled_copy(teacher, tmp_path, value)
    plan = {"steps": 60, "batch_size": 16, "observations": 1, "tolerated": 60}

    with pytest.raises(DivergedError) as caught:
        go("distill", root=tmp_path, teacher=str(broken), terms=[{"kind": term}], plan=plan)

    told = str(caught.value)
    assert f"teacher {broken}, checkpoint" in told
    assert "answered with NaN or infinity in 1 step(s) before step 1" in told
    assert "plan.optimizer" not in told
    (run,) = (tmp_path / "distill").iterdir()
    assert not list((run / "checkpoints").glob("*/model.safetensors"))


def test_a_broken_teacher_is_named_before_ways_to_compute_are_measured(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    said: list[str] = []
    broken = spoiled_copy(teacher, tmp_path, math.nan)
    machine = {"device": "cpu", "precision": "fp32", "compile": "measure"}
    plan = {"steps": 100_000, "batch_size": 16}

    with pytest.raises(DivergedError, match="answered with NaN or infinity to the first images"):
        go(
            "distill",
            root=tmp_path,
            teacher=str(broken),
            plan=plan,
            machine=machine,
            say=said.append,
        )
    assert not any("compiling" in line for line in said)


def test_nothing_of_a_teacher_moves_whoever_calls_train(
    go: Launcher, teacher: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole training, in which method, guide and network are woken again and again."""
    guides: list[Teacher] = []
    before: list[dict[str, torch.Tensor]] = []

    class Watched(Teacher):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            guides.append(self)
            before.append({name: tensor.clone() for name, tensor in self.state_dict().items()})

        def forward(self, *given: Any) -> Any:
            self.train()
            self.network.network.train()
            return super().forward(*given)

    class Waking(Distilled):
        def forward(self, *given: Any) -> Any:
            guides[0].train()
            return super().forward(*given)

    monkeypatch.setattr(sources, "Teacher", Watched)
    monkeypatch.setattr(stage, "Distilled", Waking)

    go("distill", root=tmp_path, teacher=str(teacher.run.path))

    (guide,) = guides
    guide.train()
    after = guide.state_dict()
    assert all(torch.equal(before[0][name], after[name]) for name in after)
    assert all(weight.grad is None and not weight.requires_grad for weight in guide.parameters())
    assert not guide.network.training


def test_no_checkpoint_of_a_student_holds_its_teacher(teacher: Launched, student: Launched) -> None:
    """Neither its weights nor a state of the optimizer's for them."""
    own, taught = (launched.run.path / "checkpoints" / "last" for launched in (teacher, student))
    weights = [each for each in load_file(own / "model.safetensors").values() if each.ndim > 1]
    kept = load_file(taught / "model.safetensors")
    state = load_file(taught / "train_state.safetensors")

    everything = [*kept.values(), *state.values()]
    assert not [w for w in weights if any(torch.equal(w, each) for each in everything)]
    moving = sum(each.numel() for name, each in state.items() if "momentum_buffer" in name)
    assert moving == student.summary["parameters"]
