import math
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.core.types import Outputs, Shape, Targets
from understudy.engine.guard import Guard
from understudy.models.heads import Prototypes
from understudy.objectives.objective import combine
from understudy.objectives.selfsup.prediction import PredictionSettings
from understudy.objectives.selfsup.self_distillation import (
    SelfDistillation,
    SelfDistillationSettings,
)

PROTOTYPES = 5
SHAPE = Shape(pooled=6, stages=(), projected=PROTOTYPES)


def built(**settings: Any) -> SelfDistillation:
    objective = SelfDistillationSettings.model_validate(settings)
    return objective.build(SHAPE, SHAPE, torch.arange(4))


def views(*scores: Tensor) -> tuple[Outputs, ...]:
    return tuple(Outputs(projected=each) for each in scores)


def drawn(*size: int, seed: int = 0) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(seed)) - 0.5


def test_assignments_are_what_the_other_view_is_to_answer(targets: Targets) -> None:
    objective = built().eval()
    objective.centre.copy_(drawn(PROTOTYPES, seed=3))
    first, second, one, other = drawn(4, 4, PROTOTYPES)

    found = objective(views(first, second), views(one, other), targets)["cross_entropy"]

    losses = [
        F.cross_entropy(mine / 0.1, objective.assignments(wanted))
        for mine, wanted in ((first, other), (second, one))
    ]
    assert_close(found, (losses[0] + losses[1]) / 2)


def test_a_view_is_never_told_its_own_answer(targets: Targets) -> None:
    """The gradient of a view hangs on the target's answer to the other one alone."""
    objective, student = built().eval(), drawn(2, 4, PROTOTYPES).requires_grad_()
    first, second, other = drawn(3, 4, PROTOTYPES, seed=1)

    def gradient(*target: Tensor) -> Tensor:
        loss = objective(views(*student), views(*target), targets)["cross_entropy"]
        return torch.autograd.grad(loss, student)[0][0]

    assert torch.equal(gradient(first, second), gradient(other, second))
    assert not torch.equal(gradient(first, second), gradient(first, other))


def test_the_target_is_asked_for_the_first_views_alone(targets: Targets) -> None:
    """Answers to later views that others asked for change nothing, nor does the centre see them."""
    objective, student = built(), drawn(3, 4, PROTOTYPES)
    target = drawn(3, 4, PROTOTYPES, seed=1)

    short = objective(views(*student), views(*target[:2]), targets)["cross_entropy"]
    centre = objective.centre.clone()
    objective.centre.zero_()
    full = objective(views(*student), views(*target), targets)["cross_entropy"]

    assert torch.equal(short, full)
    assert torch.equal(objective.centre, centre)


def test_beside_an_objective_that_asks_for_all_views_the_target_sees_all() -> None:
    def asked(*settings: SelfDistillationSettings | PredictionSettings) -> int | None:
        return combine(settings, student=SHAPE, guidance=SHAPE, images=torch.arange(4)).guided_views

    assert asked(SelfDistillationSettings()) == 2
    assert asked(SelfDistillationSettings(), SelfDistillationSettings(global_views=3)) == 3
    assert asked(SelfDistillationSettings(), PredictionSettings()) is None
    assert asked(PredictionSettings()) is None


@pytest.mark.parametrize("given", [1, 2])
def test_fewer_views_than_the_target_is_to_see_are_refused(given: int, targets: Targets) -> None:
    objective = combine(
        [SelfDistillationSettings(global_views=given + 1)],
        student=SHAPE,
        guidance=SHAPE,
        images=torch.arange(4),
    )
    shown = views(*drawn(given, 4, PROTOTYPES))

    with pytest.raises(UsageError, match=f"has {given} of the {given + 1} views"):
        objective(shown, shown, targets)


def test_the_loss_is_that_of_the_centre_before_the_step(targets: Targets) -> None:
    objective, student, target = built(), drawn(2, 4, PROTOTYPES), drawn(2, 4, PROTOTYPES, seed=1)
    resting = built().eval()

    found = objective(views(*student), views(*target), targets)["cross_entropy"]

    assert_close(found, resting(views(*student), views(*target), targets)["cross_entropy"])
    assert_close(objective.centre, 0.1 * target.mean(dim=(0, 1)))
    assert not resting.centre.any()


def test_a_spoiled_step_leaves_the_centre_as_it_was(targets: Targets) -> None:
    weight = nn.Parameter(torch.ones(()))
    objective = built()
    module = nn.ModuleDict({"objective": objective, "other": nn.ParameterDict({"w": weight})})
    optimizer = torch.optim.SGD([weight], lr=0.1, fused=True)
    guard, centres = Guard(module, optimizer, max_norm=None), []

    for spoil in (float("nan"), 0.0):
        guard.remember()
        scores = weight * (drawn(2, 4, PROTOTYPES) + spoil)
        loss = objective(views(*scores), views(*scores.detach()), targets)["cross_entropy"]
        loss.backward()
        guard.step(loss)
        optimizer.zero_grad()
        centres.append(objective.centre.clone())

    assert not centres[0].any()
    assert centres[1].all() and centres[1].isfinite().all()


def test_a_prototype_that_wins_everywhere_is_taken_back_by_the_centre(targets: Targets) -> None:
    """All images with one answer cost nothing at first, and log K once the centre has come."""
    objective = built()
    dominant = views(*(0.5 * torch.eye(PROTOTYPES)[:1].expand(2, 4, PROTOTYPES) + 0.0).unbind())

    losses = [objective(dominant, dominant, targets)["cross_entropy"].item() for _ in range(100)]

    assert losses[0] < 0.1
    uniform = -torch.log_softmax(10 * 0.5 * torch.eye(PROTOTYPES)[0], dim=0).mean().item()
    assert losses[-1] == pytest.approx(uniform, abs=0.02)
    assert uniform > math.log(PROTOTYPES)


class Found(NamedTuple):
    """After a training on 64 images with two noisy views."""

    largest: float
    """What the prototype that gets most has of all images."""
    certainty: float
    """The probability of an image's likeliest prototype, on average."""


def trained(*, centred: bool, temperature: float = 0.04) -> Found:
    torch.manual_seed(2)
    objective = built(teacher_temperature=temperature).train(centred)  # at rest the centre stays 0
    network = nn.Sequential(nn.Linear(8, 4), Prototypes(inputs=4, count=PROTOTYPES))
    target = deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    images = 1 + torch.randn(64, 8, generator=torch.Generator().manual_seed(5))
    targets = Targets(labels=torch.full((64,), -1), index=torch.arange(64))
    for _ in range(150):
        optimizer.zero_grad()
        noisy = [images + 0.2 * torch.randn_like(images) for _ in range(2)]
        both = views(*map(network, noisy)), views(*map(target, noisy))
        objective(*both, targets)["cross_entropy"].backward()
        optimizer.step()
        for mine, other in zip(target.parameters(), network.parameters(), strict=True):
            mine.lerp_(other.detach(), 0.1)
    with torch.no_grad():
        told = ((target(images) - objective.centre) / temperature).softmax(dim=1)
    return Found(float(told.mean(dim=0).max()), float(told.max(dim=1).values.mean()))


def test_the_centre_keeps_one_prototype_from_taking_most_images() -> None:
    assert trained(centred=True).largest < 0.4
    assert trained(centred=False).largest > 0.6


def test_sharpness_keeps_the_prototypes_from_winning_equally_everywhere() -> None:
    assert trained(centred=True).certainty > 0.9
    assert trained(centred=True, temperature=0.2).certainty < 0.3  # 0.2 is one of five


def test_the_temperature_of_the_target_follows_its_warm_up(targets: Targets) -> None:
    ramp = {"start": 0.04, "end": 0.07, "until": 0.5}
    objective, both = built(teacher_temperature=ramp).eval(), views(*drawn(2, 4, PROTOTYPES))

    for progress, temperature in ((0.0, 0.04), (0.25, 0.055), (0.5, 0.07), (0.9, 0.07)):
        objective.at(progress)
        found = objective(both, both, targets)["cross_entropy"]
        fixed = built(teacher_temperature=temperature).eval()
        assert_close(found, fixed(both, both, targets)["cross_entropy"])
    assert set(objective.state_dict()) == {"centre"}  # a resume finds the temperature anew


@pytest.mark.parametrize("value", [0, -0.1, {"start": 0.04, "end": 0}, {"start": 0, "end": 0.07}])
def test_a_temperature_of_zero_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="teacher_temperature"):
        checked(SelfDistillationSettings, {"teacher_temperature": value}, origin="here")


def test_projections_that_do_not_fit_are_refused() -> None:
    settings, images = SelfDistillationSettings(), torch.arange(4)

    with pytest.raises(UsageError, match="projector: set `projector`"):
        settings.build(SHAPE._replace(projected=None), SHAPE, images)
    with pytest.raises(UsageError, match=r"student has 5 and the teacher 7.*same projector"):
        settings.build(SHAPE, SHAPE._replace(projected=7), images)
    with pytest.raises(UsageError, match="learns from a teacher"):
        settings.build(SHAPE, None, images)


def centre_of_half(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    torch.save(walked(slice(2 * rank, 2 * rank + 2)), folder / f"{rank}.pt")
    distributed.destroy_process_group()


def walked(rows: slice) -> Tensor:
    """The losses of three steps on some of the images, and the centre they lead to."""
    objective, losses = built(), []
    for step in range(3):
        student, target = drawn(2, 2, 4, PROTOTYPES, seed=step)[:, :, rows]
        index = torch.arange(4)[rows]
        targets = Targets(labels=torch.full_like(index, -1), index=index)
        losses.append(objective(views(*student), views(*target), targets)["cross_entropy"])
    return torch.cat([torch.stack(losses), objective.centre])


@pytest.mark.slow
def test_two_processes_have_the_centre_of_all_their_images(tmp_path: Path) -> None:
    spawn(centre_of_half, args=(tmp_path,), nprocs=2)  # type: ignore[no-untyped-call]
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))

    whole = walked(slice(None))

    assert torch.equal(first[3:], second[3:])
    assert_close((first + second) / 2, whole)
