import math
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.core.types import Batch, Outputs, Tap
from understudy.engine.optim import LarsSettings
from understudy.methods.byol import ByolSettings
from understudy.methods.dino import DinoSettings
from understudy.methods.moco import MocoSettings
from understudy.methods.momentum import Momentum, in_order, momentum_at
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.heads import ProjectorSettings, Prototypes
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.selfsup.info_nce import InfoNceSettings
from understudy.objectives.selfsup.nt_xent import NtXentSettings

BATCH = 8
IMAGES = torch.arange(BATCH)
SOUND, SPOILED = torch.tensor(0.0), torch.tensor(1.0)
BYOL = ByolSettings(projector=ProjectorSettings(hidden=8, out=4, normed="inner"))
MOCO = MocoSettings(
    projector=ProjectorSettings(hidden=8, out=4, normed="none"),
    terms=(InfoNceSettings(queue=32),),
    splits=4,
)
DINO = DinoSettings(
    projector=ProjectorSettings(hidden=8, out=4, layers=3, normed="inner", prototypes=6),
    frozen=0.25,
)


def network(projector: ProjectorSettings) -> Network:
    settings = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5),
        channels=1,
        size=8,
        classes=None,
        projector=projector,
    )
    return settings.build(mean=[0.5], std=[0.2], seed=1)


def built(settings: ByolSettings | MocoSettings | DinoSettings) -> Momentum:
    return settings.build(network(settings.projector), images=IMAGES, seed=0)


def batch(images: int = BATCH) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        views=tuple(torch.rand(images, 1, 8, 8, generator=generator) for _ in range(2)),
        labels=None,
        index=torch.arange(images),
        view_ids=tuple(torch.full((images,), view) for view in range(2)),
    )


def copied(method: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in method.state_dict().items()}


@pytest.mark.parametrize("start", [0.9, 0.99, 0.996])
def test_the_momentum_follows_half_a_cosine(start: float) -> None:
    for step in range(11):
        found = momentum_at(step / 10, start=start, end=1.0)

        byol = 1 - (1 - start) * (math.cos(math.pi * step / 10) + 1) / 2  # appendix J
        assert found == pytest.approx(byol, abs=1e-12)
    assert momentum_at(0.0, start=start, end=1.0) == pytest.approx(start)
    assert momentum_at(0.3, start=start, end=start) == pytest.approx(start)


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.9])
def test_the_target_moves_by_the_formula_and_its_statistics_are_copied(progress: float) -> None:
    method = built(BYOL)
    with torch.no_grad():
        for weight in method.network.parameters():
            weight.add_(torch.randn_like(weight))
    method.network(batch().views[0], frozenset({Tap.POOLED}))  # moves statistics
    before = copied(method.target.network)
    online = copied(method.network)

    method.after_step(progress, SOUND)

    momentum = 1 - 0.01 * (math.cos(math.pi * progress) + 1) / 2
    names = [name for name, _ in method.network.named_parameters()]
    expected = {name: momentum * before[name] + (1 - momentum) * online[name] for name in names}
    after = copied(method.target.network)
    assert_close({name: after[name] for name in names}, expected)
    assert all(torch.equal(after[name], online[name]) for name in after.keys() - expected.keys())
    assert any(not torch.equal(after[name], before[name]) for name in names)


@pytest.mark.parametrize("settings", [BYOL, MOCO, DINO], ids=lambda settings: settings.kind)
def test_a_spoiled_step_moves_no_weight_of_the_target(
    settings: ByolSettings | MocoSettings | DinoSettings,
) -> None:
    method = built(settings)
    with torch.no_grad():
        for weight in method.network.parameters():
            weight.add_(1.0)
    before = copied(method)

    method.after_step(0.5, SPOILED)

    assert all(torch.equal(before[name], value) for name, value in method.state_dict().items())


@pytest.mark.parametrize("settings", [BYOL, MOCO, DINO], ids=lambda settings: settings.kind)
def test_no_gradient_and_no_optimizer_reaches_the_target(
    settings: ByolSettings | MocoSettings | DinoSettings,
) -> None:
    method = built(settings)

    method(batch(), None).loss.backward()

    assert not any(weight.requires_grad for weight in method.target.parameters())
    assert all(weight.grad is None for weight in method.target.parameters())
    learning = [weight for weight in method.parameters() if weight.requires_grad]
    assert all(weight.grad is not None for weight in learning)
    assert len(learning) == len([*method.network.parameters(), *method.objective.parameters()])


def test_the_target_begins_as_a_copy() -> None:
    method = built(BYOL)

    assert_close(copied(method.target.network), copied(method.network), rtol=0, atol=0)


@pytest.mark.parametrize("settings", [BYOL, MOCO, DINO], ids=lambda settings: settings.kind)
def test_each_view_passes_each_network_by_itself(
    settings: ByolSettings | MocoSettings | DinoSettings,
) -> None:
    """Batch norm would let the views know of each other's statistics if they passed together."""
    method, passed = built(settings), []
    for name, each in (("network", method.network), ("target", method.target.network)):
        each.register_forward_pre_hook(
            lambda _, given, name=name: passed.append((name, len(given[0])))
        )

    method(batch(), None)

    assert passed == [("network", BATCH)] * 2 + [("target", BATCH)] * 2


def test_the_target_normalises_by_the_batch_at_hand_while_it_trains() -> None:
    """Its running statistics are read by nobody: spoiling them changes nothing."""
    method = built(BYOL).train()
    expected = method(batch(), None).loss
    other = built(BYOL).train()
    for name, statistics in other.target.named_buffers():
        if name.endswith("running_mean"):
            statistics.fill_(1e6)

    assert method.target.training
    assert torch.equal(other(batch(), None).loss, expected)


def test_keys_are_made_in_another_order_and_given_back_in_that_of_the_images() -> None:
    """With nothing that couples the images, the order of the keys can change no number."""
    method = built(MOCO).eval()  # batch norm stands still
    orders: list[torch.Tensor] = []
    method.target.network.register_forward_pre_hook(lambda _, given: orders.append(given[0]))
    keys: list[Outputs] = []
    method.objective.register_forward_pre_hook(lambda _, given: keys.extend(given[1]))

    method(batch(), None)

    for view, seen, key in zip(batch().views, orders[:], keys, strict=True):
        assert not torch.equal(seen, view)
        assert_close(seen.sum(dim=0), view.sum(dim=0))
        assert_close(key.projected, method.target(view, frozenset({Tap.PROJECTED})).projected)


def test_another_order_is_other_statistics_for_the_keys() -> None:
    """So that an image cannot be found by the statistics that it shares with its key."""
    method, losses = built(MOCO), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        losses.append(deepcopy(method)(batch(), None).loss.item())

    assert losses[0] != losses[1]


def test_outputs_are_put_in_order() -> None:
    order = torch.tensor([2, 0, 1])
    outputs = Outputs(projected=torch.arange(3.0)[:, None], stages=(torch.arange(3.0),))

    found = in_order(outputs, order)

    assert found.projected is not None and found.logits is None
    assert found.projected.flatten().tolist() == [2, 0, 1]
    assert found.stages[0].tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (6, r"`method.splits` is 4.*batch of 6.*multiple of 4"),
        (4, r"`plan.batch_size` is 4.*2 images in each of the 4 parts.*at least 8"),
    ],
)
def test_a_batch_that_cannot_be_split_is_refused(images: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        built(MOCO)(batch(images), None)


@pytest.mark.parametrize("settings", [ByolSettings, MocoSettings, DinoSettings])
def test_terms_that_never_ask_the_target_are_refused(
    settings: type[ByolSettings] | type[MocoSettings] | type[DinoSettings],
) -> None:
    with pytest.raises(UsageError, match=r"momentum network.*nt_xent.*`prediction`"):
        built(settings(terms=(NtXentSettings(),)))


def test_a_momentum_that_is_asked_for_alone_does_not_move_in_moco() -> None:
    method = built(MocoSettings.model_validate({**MOCO.model_dump(), "momentum": 0.9}))

    assert (method.start, method.end) == (0.9, 0.9)


def test_the_target_of_dino_sees_the_first_two_views_alone() -> None:
    """And small crops beside them pass through the network that learns."""
    method, passed = built(DINO), []
    for name, each in (("network", method.network), ("target", method.target.network)):
        each.register_forward_pre_hook(
            lambda _, given, name=name: passed.append((name, given[0].shape[-1]))
        )
    crops = tuple(torch.rand(BATCH, 1, 4, 4) for _ in range(3))
    shown = batch()

    method(shown._replace(views=shown.views + crops), None)

    assert passed == [("network", 8)] * 2 + [("network", 4)] * 3 + [("target", 8)] * 2


def test_the_prototypes_of_the_target_are_averages_too() -> None:
    """With those of the network that learns, its answers would move by each step's full length."""
    method = built(DINO)
    mine, other = (
        next(each.weight for each in part.modules() if isinstance(each, Prototypes))
        for part in (method.network, method.target)
    )
    before = other.clone()
    with torch.no_grad():
        mine.add_(1.0)

    method.after_step(0.0, SOUND)

    assert_close(other, before + 0.01)


def test_the_prototypes_of_dino_stand_still_at_first_and_all_else_learns() -> None:
    """Bit for bit, although decay goes on: an optimizer spares what has no gradient at all."""
    method = built(DINO)
    optimizer = LarsSettings().build(method)

    def moved_by_a_step(progress: float) -> dict[str, bool]:
        before = copied(method.network)
        method.at(progress)
        method(batch(), None).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        names = [name for name, _ in method.network.named_parameters()]
        after = method.network.state_dict()
        return {name: not torch.equal(before[name], after[name]) for name in names}

    frozen, free = moved_by_a_step(0.2), moved_by_a_step(0.25)

    (prototypes,) = (name for name, moved in frozen.items() if not moved)
    assert prototypes.startswith("projector.")
    assert all(free.values())


def test_dino_without_prototypes_is_refused() -> None:
    with pytest.raises(UsageError, match=r"`projector\.prototypes` is needed.*4096"):
        checked(DinoSettings, {"projector": {"out": 64}}, origin="here")
