import math
from copy import deepcopy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Targets
from understudy.engine.guard import Guard
from understudy.engine.optim import AdamWSettings, AnyOptimizer, LarsSettings, SgdSettings
from understudy.objectives.selfsup import swapped_assignment
from understudy.objectives.selfsup.swapped_assignment import (
    SwappedAssignment,
    SwappedAssignmentSettings,
    balanced_assignments,
)

WIDTH = 4
SHAPE = Shape(pooled=6, stages=(), projected=WIDTH)


def built(**settings: float) -> SwappedAssignment:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        objective = SwappedAssignmentSettings.model_validate({"prototypes": 6, **settings})
        return objective.build(SHAPE, None, torch.arange(4))


def views(*features: Tensor) -> tuple[Outputs, ...]:
    return tuple(Outputs(projected=each) for each in features)


def drawn(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def test_assignments_are_told_as_they_are_before_they_are_shared_out() -> None:
    """Shared out equally, they would seem to tell all images apart that are alike."""
    objective, direction = built(prototypes=6), drawn(1, WIDTH)

    found = objective.assignments((direction * torch.arange(1, 9)[:, None]).half())

    cosines = F.normalize(direction, dim=1) @ F.normalize(objective.prototypes, dim=1).T
    assert_close(found, (cosines / 0.05).softmax(dim=1).expand(8, 6), rtol=0.02, atol=1e-4)


@pytest.mark.parametrize("epsilon", [0.03, 0.05, 1.0])
def test_images_give_one_each_and_prototypes_get_equally_much(epsilon: float) -> None:
    scores = F.normalize(drawn(32, 5), dim=1) @ F.normalize(drawn(8, 5, seed=1), dim=1).T

    found = balanced_assignments(scores, epsilon=epsilon, iterations=1000)

    assert_close(found.sum(dim=1), torch.ones(32))
    assert_close(found.sum(dim=0), torch.full((8,), 32 / 8), atol=0.1, rtol=0)
    assert (found >= 0).all()


def test_hard_assignments_are_finite_and_leave_no_prototype_out() -> None:
    """Where exp(cosine / epsilon) is infinite, and where it leaves a prototype with zero."""
    scores = F.normalize(drawn(32, 5), dim=1) @ F.normalize(drawn(8, 5, seed=1), dim=1).T
    assert (scores / 1e-3).exp().isinf().any() and not (scores[:, :1] / -1e-4).exp().all()

    found = balanced_assignments(scores, epsilon=1e-3, iterations=100)

    assert_close(found.sum(dim=1), torch.ones(32))
    assert found.sum(dim=0).min() > 1


def test_a_prototype_that_all_are_nearest_to_gets_its_share_alone() -> None:
    scores = 0.1 * drawn(12, 3) + torch.tensor([0.8, 0.0, 0.0])
    assert (scores.argmax(dim=1) == 0).all()

    found = balanced_assignments(scores, epsilon=0.05, iterations=3)

    assert found.sum(dim=0).tolist() == pytest.approx([4, 4, 4], abs=0.5)
    assert len(set(found.argmax(dim=1).tolist())) == 3


def test_images_that_all_look_alike_cost_the_log_of_the_number_of_prototypes(
    targets: Targets,
) -> None:
    """Wherever they lie: nearest to a prototype, the plain softmax would cost almost nothing."""
    objective = built()
    alike = objective.prototypes.detach()[:1].expand(4, WIDTH)

    found = objective(views(alike, alike), None, targets)["cross_entropy"]

    cosines = F.normalize(alike, dim=1) @ F.normalize(objective.prototypes.detach(), dim=1).T
    plain = F.cross_entropy(cosines / 0.1, (cosines / 0.05).softmax(dim=1))
    assert found > math.log(6) - 1e-4
    assert plain < 0.5 * math.log(6)


def shares(*, balanced: bool, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """What each prototype gets after a training on 64 images with two noisy views."""
    if not balanced:
        monkeypatch.setattr(
            swapped_assignment,
            "balanced_assignments",
            lambda scores, *, epsilon, iterations: (scores / epsilon).softmax(dim=1),  # noqa: ARG005
        )
    torch.manual_seed(0)
    objective, network = built(epsilon=0.03), nn.Linear(8, WIDTH)
    optimizer = torch.optim.Adam([*network.parameters(), *objective.parameters()], lr=0.02)
    images, index = drawn(64, 8, seed=5), torch.arange(64)
    targets = Targets(labels=torch.full((64,), -1), index=index)
    for _ in range(150):
        optimizer.zero_grad()
        noisy = [network(images + 0.2 * torch.randn_like(images)) for _ in range(2)]
        objective(views(*noisy), None, targets)["cross_entropy"].backward()
        optimizer.step()
    with torch.no_grad():
        cosines = F.normalize(network(images), dim=1) @ F.normalize(objective.prototypes, dim=1).T
    return (cosines / 0.1).softmax(dim=1).mean(dim=0)


def test_without_equal_shares_some_prototypes_take_all_and_others_die(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as scope:
        collapsed = shares(balanced=False, monkeypatch=scope)
    kept = shares(balanced=True, monkeypatch=monkeypatch)

    assert collapsed.max() > 0.5 and collapsed.min() < 1e-3
    assert kept.max() < 0.3 and kept.min() > 0.1


def test_the_length_of_a_prototype_counts_nothing(targets: Targets) -> None:
    objective, given = built(), views(*drawn(2, 4, WIDTH))
    before = objective(given, None, targets)["cross_entropy"]

    with torch.no_grad():
        objective.prototypes.mul_(torch.tensor([0.01, 1.0, 3.0, 10.0, 0.5, 2.0])[:, None])

    assert_close(objective(given, None, targets)["cross_entropy"], before)


@pytest.mark.parametrize("settings", [LarsSettings(), SgdSettings(), AdamWSettings()], ids=str)
def test_prototypes_stand_still_at_first_and_the_features_learn(
    settings: AnyOptimizer, targets: Targets
) -> None:
    """Bit for bit, although decay goes on: an optimizer spares what has no gradient at all."""
    objective, features = built(frozen=0.25), drawn(2, 4, WIDTH).requires_grad_()
    optimizer, moved = settings.build(objective), []
    objective.at(0.0)  # at length 1
    before = objective.prototypes.detach().clone()

    for progress in (0.0, 0.1, 0.2, 0.25):
        objective.at(progress)
        features.grad = None
        objective(views(*features), None, targets)["cross_entropy"].backward()
        optimizer.step()
        optimizer.zero_grad()
        moved.append(not torch.allclose(objective.prototypes, before, atol=1e-6, rtol=0))
        assert features.grad is not None and features.grad.any()

    assert moved == [False, False, False, True]


def test_prototypes_are_brought_back_to_length_1_before_each_step(targets: Targets) -> None:
    objective = built(frozen=0.0)
    optimizer = torch.optim.SGD(objective.parameters(), lr=5.0)

    for _ in range(3):
        objective.at(0.5)
        assert_close(objective.prototypes.norm(dim=1), torch.ones(6))
        objective(views(*drawn(2, 4, WIDTH)), None, targets)["cross_entropy"].backward()
        optimizer.step()

    assert (objective.prototypes.norm(dim=1) > 1.01).any()


def test_a_later_view_predicts_and_is_not_assigned(targets: Targets) -> None:
    """The wanted assignments of whole views do not hang on a small crop, nor does its queue."""
    objective = built(queue=8)
    first, second, crop = drawn(3, 4, WIDTH)
    loss = objective(views(first, second, crop.requires_grad_()), None, targets)["cross_entropy"]
    (gradient,) = torch.autograd.grad(loss, crop)

    assert gradient.abs().sum() > 0
    for queue, whole in zip(objective.queues, (first, second), strict=True):
        assert_close(queue.features[:4], F.normalize(whole, dim=1))  # type: ignore[index]


def test_a_queue_is_asked_after_its_share_as_it_was_before_the_step(targets: Targets) -> None:
    given = views(*drawn(2, 4, WIDTH))
    without = built()(given, None, targets)["cross_entropy"]

    def found(progress: float) -> Tensor:
        objective = built(queue=8, queue_after=0.5)
        objective.at(progress)
        loss: Tensor = objective(given, None, targets)["cross_entropy"]
        return loss

    resting = built(queue=8).eval()
    assert_close(found(0.4), without)
    assert_close(found(0.5), resting(given, None, targets)["cross_entropy"])
    assert not torch.equal(found(0.5), without)


def test_nothing_enters_a_queue_while_it_is_not_trained(targets: Targets) -> None:
    objective = built(queue=8).eval()
    before = {name: value.clone() for name, value in objective.state_dict().items()}

    objective(views(*drawn(2, 4, WIDTH)), None, targets)

    assert all(torch.equal(before[name], value) for name, value in objective.state_dict().items())


def test_a_batch_that_a_queue_cannot_hold_is_refused(targets: Targets) -> None:
    with pytest.raises(UsageError, match=r"holds 3 features, but one step brings 4.*`queue`"):
        built(queue=3)(views(*drawn(2, 4, WIDTH)), None, targets)


def test_a_spoiled_step_leaves_queues_and_prototypes_as_they_were(targets: Targets) -> None:
    objective = built(queue=8, frozen=0.0)
    optimizer = torch.optim.SGD(objective.parameters(), lr=0.1, fused=True)
    guard = Guard(objective, optimizer, max_norm=None)
    before = {name: value.clone() for name, value in objective.state_dict().items()}

    changed = []
    for spoil in (float("nan"), 0.0):
        guard.remember()
        features = drawn(2, 4, WIDTH)
        features[0, 0, 0] += spoil
        loss = objective(views(*features), None, targets)["cross_entropy"]
        loss.backward()
        guard.step(loss)
        optimizer.zero_grad()
        state = objective.state_dict()
        changed.append({name for name in state if not torch.equal(before[name], state[name])})

    assert changed[0] == set()
    assert changed[1] == set(before)  # both queues, their positions, and the prototypes


def test_autocast_does_not_reach_the_cosines(targets: Targets) -> None:
    objective, given = built(queue=64, temperature=0.02).eval(), views(*drawn(2, 4, WIDTH))
    expected = objective(given, None, targets)["cross_entropy"]

    with torch.autocast("cpu", torch.bfloat16):
        found = objective(given, None, targets)["cross_entropy"]

    assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_a_student_without_a_projector_is_refused() -> None:
    with pytest.raises(UsageError, match="projector: set `projector`"):
        SwappedAssignmentSettings().build(SHAPE._replace(projected=None), None, torch.arange(4))


@pytest.mark.slow
def test_compiled_with_queues_that_move_it_has_the_same_gradient(targets: Targets) -> None:
    plain = built(queue=8)
    compiled = torch.compile(deepcopy(plain), fullgraph=True, backend="aot_eager")

    for seed in range(3):
        features = [view.clone().requires_grad_() for view in drawn(2, 4, WIDTH, seed=seed)]
        gradients = [
            torch.autograd.grad(each(views(*features), None, targets)["cross_entropy"], features)
            for each in (plain, compiled)
        ]
        assert_close(*gradients)


FEATURES = drawn(3, 2, 8, WIDTH, seed=9).double()  # steps, views, images


def walked(rows: slice) -> dict[str, Tensor]:
    """Three steps on some of the images, each with its loss and gradient; and the queues."""
    objective = built(queue=12).double()
    found: dict[str, Tensor] = {}
    index = torch.arange(8)[rows]
    targets = Targets(labels=torch.full_like(index, -1), index=index)
    for number, step in enumerate(FEATURES):
        mine = step[:, rows].clone().requires_grad_()
        loss = objective(views(*mine), None, targets)["cross_entropy"]
        own, features = torch.autograd.grad(loss, [objective.prototypes, mine])
        found |= {f"loss {number}": loss.detach(), f"own {number}": own}
        found[f"features {number}"] = features
    return found | {
        "queue": torch.cat([value for value in objective.queues.buffers() if value.ndim])
    }


def walk_half(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    torch.save(walked(slice(4 * rank, 4 * rank + 4)), folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_assign_and_remember_as_one_with_the_whole_batch(tmp_path: Path) -> None:
    spawn(walk_half, args=(tmp_path,), nprocs=2)  # type: ignore[no-untyped-call]
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))

    whole = walked(slice(None))

    for name, expected in whole.items():
        if name.startswith("features"):
            assert_close(torch.cat([first[name], second[name]], dim=1) / 2, expected)
        elif name == "queue":
            assert_close(first[name], expected)
            assert_close(second[name], expected)
        else:
            assert_close((first[name] + second[name]) / 2, expected)
