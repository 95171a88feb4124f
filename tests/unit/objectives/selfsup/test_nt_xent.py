import torch
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.selfsup.nt_xent import NtXentSettings, nt_xent


def test_more_than_two_views_are_averaged_over_their_pairs(
    student: Shape, targets: Targets
) -> None:
    first, second, third = torch.randn(3, 4, 4)
    views = tuple(Outputs(projected=each) for each in (first, second, third))

    found = NtXentSettings().build(student, None, torch.arange(4))(views, None, targets)

    pairs = [(first, second), (first, third), (second, third)]
    assert_close(found["contrast"], sum(nt_xent(*pair, 0.5) for pair in pairs) / 3)


def test_autocast_does_not_reach_the_similarities() -> None:
    first, second = torch.randn(2, 16, 8)
    expected = nt_xent(first, second, 0.05)

    with torch.autocast("cpu", torch.bfloat16):
        found = nt_xent(first, second, 0.05)

    assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_many_images_at_a_low_temperature_stay_finite() -> None:
    same = torch.ones(64, 8, requires_grad=True)

    nt_xent(same, same, 0.01).backward()  # type: ignore[no-untyped-call]

    assert same.grad is not None and same.grad.isfinite().all()
