import pytest
import torch
from torch.testing import assert_close

from understudy.core.types import Batch, Outputs, Tap
from understudy.methods.barlow_twins import BarlowTwinsSettings
from understudy.methods.siamese import Siamese
from understudy.methods.simclr import SimclrSettings
from understudy.methods.simsiam import SimsiamSettings
from understudy.methods.swav import SwavSettings
from understudy.methods.vicreg import VicregMethodSettings
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.heads import ProjectorSettings
from understudy.models.network import NetworkSettings

BATCH = 6
PROJECTOR = ProjectorSettings(hidden=8, out=4)
AnySettings = (
    SimclrSettings | SimsiamSettings | BarlowTwinsSettings | VicregMethodSettings | SwavSettings
)


def built(settings: AnySettings) -> Siamese:
    network = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5),
        channels=1,
        size=8,
        classes=None,
        projector=settings.projector,
    ).build(mean=[0.5], std=[0.2], seed=1)
    return settings.build(network, images=torch.arange(BATCH), seed=0)


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        views=tuple(torch.rand(BATCH, 1, 8, 8, generator=generator) for _ in range(2)),
        labels=None,
        index=torch.arange(BATCH),
        view_ids=tuple(torch.full((BATCH,), view) for view in range(2)),
    )


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        (SimclrSettings(projector=PROJECTOR), [2 * BATCH]),
        (SwavSettings(projector=PROJECTOR), [2 * BATCH]),
        (SimsiamSettings(projector=PROJECTOR), [BATCH] * 2),
        (BarlowTwinsSettings(projector=PROJECTOR), [BATCH] * 2),
        (VicregMethodSettings(projector=PROJECTOR), [BATCH] * 2),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_views_pass_together_in_simclr_and_swav_and_one_by_one_elsewhere(
    settings: AnySettings, passes: list[int]
) -> None:
    method, seen = built(settings), []
    method.network.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))

    method(batch(), None)

    assert seen == passes


def test_views_of_different_sizes_pass_together_size_by_size_in_their_order() -> None:
    method, seen = built(SwavSettings(projector=PROJECTOR)), []
    method.network.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[::3]))
    given: list[Outputs] = []
    method.objective.register_forward_pre_hook(lambda _, inputs: given.extend(inputs[0]))
    shown = batch()
    crops = tuple(torch.rand(BATCH, 1, 4, 4) for _ in range(3))

    method.eval()(shown._replace(views=shown.views + crops), None)

    assert seen == [(2 * BATCH, 8), (3 * BATCH, 4)]
    for view, outputs in zip(shown.views + crops, given, strict=True):
        assert_close(outputs, method.network(view, method.objective.taps))


def test_simsiam_guides_itself_without_a_gradient() -> None:
    """Not even where the target's view is the same tensor that learns from the other one."""
    method = built(SimsiamSettings(projector=PROJECTOR))
    given: list[tuple[Outputs, ...]] = []
    method.objective.register_forward_pre_hook(lambda _, inputs: given.extend(inputs[:2]))

    method(batch(), None)

    student, own = given
    for mine, target in zip(student, own, strict=True):
        assert mine.projected is not None and target.projected is not None
        assert mine.projected.requires_grad and not target.projected.requires_grad
        assert torch.equal(mine.projected, target.projected)


def test_simclr_is_given_no_guidance() -> None:
    method = built(SimclrSettings(projector=PROJECTOR))
    given: list[object] = []
    method.objective.register_forward_pre_hook(lambda _, inputs: given.append(inputs[1]))

    method(batch(), None)

    assert given == [None]


def test_vicreg_ends_without_batch_norm_which_would_fix_the_variance() -> None:
    """Behind a batch norm every feature has a deviation of 1, and the variance nothing to do."""
    method = built(VicregMethodSettings())
    shown, taps = batch().views[0], frozenset({Tap.PROJECTED})

    projected = method.network(shown, taps).projected

    assert projected is not None
    with pytest.raises(AssertionError):
        assert_close(projected.var(dim=0, correction=0), torch.ones(2048), atol=0.1, rtol=0)
