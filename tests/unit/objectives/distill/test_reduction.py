import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.objectives.distill.reduction import Reduction, ReductionSettings, lost
from understudy.objectives.distill.regression import negative_cosine

WIDTH, INPUTS = 4, 24


def of_a_teacher(images: int = 512) -> Tensor:
    """Features above zero, as behind a relu: a few directions tell images apart."""
    generator = torch.Generator().manual_seed(7)
    causes = torch.randn(images, 6, generator=generator)
    ways = (
        torch.randn(6, INPUTS, generator=generator)
        * torch.tensor([3, 2, 1.5, 1, 0.2, 0.1])[:, None]
    )
    return (causes @ ways + 2).relu()


def reduction(*, learned: bool, kind: type[Reduction] = Reduction) -> Reduction:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return kind(inputs=INPUTS, width=WIDTH, learned=learned)


class Unguarded(Reduction):
    """What `Reduction` must not be: moved by the student's agreement."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        return features @ self.projection.T, None


def alike(features: Tensor) -> float:
    """The mean cosine between different images: 1 where all are the same."""
    cosines = F.normalize(features, dim=1) @ F.normalize(features, dim=1).T
    return (cosines.sum() - len(features)).item() / (len(features) * (len(features) - 1))


def trained(found: Reduction, *, steps: int = 400) -> tuple[float, Tensor]:
    """The agreement reached, and the reduced features, with a student that sees little."""
    torch.manual_seed(5)
    teacher = of_a_teacher()
    seen = torch.randn(len(teacher), 8)  # nothing of what the teacher sees
    student = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, WIDTH))
    optimizer = torch.optim.SGD([*student.parameters(), *found.parameters()], lr=0.5, momentum=0.9)
    for _ in range(steps):
        reduced, own = found(teacher)
        agreement = negative_cosine(student(seen), reduced)
        optimizer.zero_grad()
        loss: Tensor = agreement if own is None else agreement + own
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return agreement.item(), found(teacher)[0].detach()


def test_without_the_guard_a_learned_reduction_collapses_and_with_it_it_does_not() -> None:
    """A student that sees nothing agrees by a constant, if the projection gives way."""
    before = alike(reduction(learned=False)(of_a_teacher())[0])

    agreement, collapsed = trained(reduction(learned=True, kind=Unguarded))
    guarded_agreement, kept = trained(reduction(learned=True))

    assert agreement < -0.99
    assert alike(collapsed) > 0.99 > before + 0.1
    assert guarded_agreement > -0.95
    assert alike(kept) < 0.9


def test_what_is_learned_is_the_principal_subspace() -> None:
    features = F.normalize(of_a_teacher(), dim=1)
    found = reduction(learned=True)
    drawn = lost(features, found.projection).item()

    trained(found, steps=1500)

    values, ways = torch.linalg.eigh(features.T @ features / len(features))
    best = values[:-WIDTH].sum().item()
    assert lost(features, found.projection).item() == pytest.approx(best, rel=0.05)
    assert drawn > 4 * best
    assert_close(
        found.projection @ found.projection.T, torch.eye(WIDTH), rtol=0, atol=0.02
    )  # lengths are kept
    overlap = found.projection @ ways[:, -WIDTH:]
    assert torch.linalg.svdvals(overlap).min() > 0.97


def test_the_agreement_moves_no_reduction() -> None:
    teacher = of_a_teacher(8).requires_grad_()

    for learned in (False, True):
        reduced, _ = reduction(learned=learned)(teacher.detach())
        assert not reduced.requires_grad


def test_a_fixed_one_is_orthonormal_drawn_by_the_seed_and_never_moves() -> None:
    fixed = reduction(learned=False)
    before = fixed.projection.clone()

    assert list(fixed.parameters()) == []
    assert "projection" in fixed.state_dict()  # a resume does not draw it again
    assert_close(before @ before.T, torch.eye(WIDTH))
    assert torch.equal(before, reduction(learned=False).projection)


def test_more_features_than_the_teacher_has_are_refused() -> None:
    settings = ReductionSettings(width=25)

    with pytest.raises(UsageError, match=r"`reduction.width` is 25.*gives 24.*at most 24"):
        settings.build(24)
    assert settings.build(25).projection.shape == (25, 25)
