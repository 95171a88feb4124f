"""Laws that every method of a pretraining keeps, those of the catalogue and those to come."""

import pytest
import torch
from pydantic import TypeAdapter
from torch.testing import assert_close

from understudy.core.annotations import members
from understudy.core.errors import UsageError
from understudy.core.types import Batch
from understudy.engine.guard import Guard
from understudy.engine.optim import SgdSettings
from understudy.methods import AnySelfSupervised
from understudy.methods.method import Method
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import NetworkSettings

BATCH = 16
IMAGES = torch.arange(BATCH)
ALL: TypeAdapter[AnySelfSupervised] = TypeAdapter(AnySelfSupervised)
KINDS = [kind.model_fields["kind"].default for kind in members(AnySelfSupervised)]

pytestmark = pytest.mark.parametrize("kind", KINDS)


def settings(kind: str) -> AnySelfSupervised:
    """The method with a small projector, and a queue that is full after two steps."""
    default = ALL.validate_python({"kind": kind})
    small = {**default.projector.model_dump(), "hidden": 16, "out": 8}
    terms = {"terms": [{"kind": "info_nce", "queue": 4 * BATCH}]} if kind == "moco" else {}
    return ALL.validate_python({"kind": kind, "projector": small, **terms})


def network_settings(kind: str) -> NetworkSettings:
    return NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5),
        channels=1,
        size=8,
        classes=None,
        projector=settings(kind).projector,
    )


def built(kind: str) -> Method:
    network = network_settings(kind).build(mean=[0.5], std=[0.2], seed=1)
    return settings(kind).build(network, images=IMAGES, seed=0)


def batch(images: int = BATCH, *, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    views = torch.rand(images, 1, 8, 8, generator=generator)
    return Batch(
        views=tuple(views + 0.05 * torch.randn(views.shape, generator=generator) for _ in range(2)),
        labels=None,
        index=torch.arange(images),
        view_ids=tuple(torch.full((images,), view) for view in range(2)),
    )


def stepped(method: Method, guard: Guard, shown: Batch) -> None:
    """One step, as the loop does it."""
    guard.remember()
    output = method(shown, None)
    output.loss.backward()
    spoiled = guard.step(output.loss)
    guard.optimizer.zero_grad()
    method.after_step(0.5, spoiled)


def test_every_weight_that_learns_gets_a_gradient(kind: str) -> None:
    method = built(kind)

    method(batch(), None).loss.backward()

    learning = {name: weight for name, weight in method.named_parameters() if weight.requires_grad}
    unreached = [
        name
        for name, weight in learning.items()
        if weight.grad is None or not weight.grad.isfinite().all()
    ]
    assert unreached == []
    assert {f"network.{name}" for name, _ in method.network.named_parameters()} <= learning.keys()


def test_it_learns(kind: str) -> None:
    torch.manual_seed(0)
    method = built(kind)
    optimizer = torch.optim.Adam([w for w in method.parameters() if w.requires_grad], lr=3e-3)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        output = method(batch(), None)
        output.loss.backward()
        optimizer.step()
        method.after_step(0.0, torch.tensor(0.0))
        losses.append(float(output.loss.detach()))

    early = max(losses[:5])  # MoCo's queue is random in the first two steps, which is easy
    assert losses[-1] < early - 0.05 * abs(early)


def test_a_step_that_is_not_finite_changes_nothing(kind: str) -> None:
    method = built(kind)
    guard = Guard(method, SgdSettings(learning_rate=0.05).build(method), max_norm=None)
    stepped(method, guard, batch(seed=1))
    before = {name: value.clone() for name, value in method.state_dict().items()}
    shown = batch(seed=2)
    shown.views[0][0, 0, 0, 0] = float("nan")

    stepped(method, guard, shown)

    assert [n for n, v in method.state_dict().items() if not torch.equal(before[n], v)] == []


def test_a_method_goes_on_from_what_was_saved_bit_for_bit(kind: str) -> None:
    one, other = built(kind), built(kind)
    shown = [batch(seed=seed) for seed in range(4)]
    guards = [Guard(m, SgdSettings(momentum=0.0).build(m), max_norm=None) for m in (one, other)]
    for each in shown[:2]:
        stepped(one, guards[0], each)

    other.load_state_dict(one.state_dict())
    random = torch.get_rng_state()
    for method, guard in zip((one, other), guards, strict=True):
        torch.set_rng_state(random)
        for each in shown[2:]:
            stepped(method, guard, each)

    assert all(torch.equal(one.state_dict()[n], v) for n, v in other.state_dict().items())


def test_its_network_is_one_that_its_settings_rebuild(kind: str) -> None:
    """Checkpoints hold the network alone: no target, no predictor, no queue, no split norm."""
    method, rebuilt = built(kind).eval(), network_settings(kind).empty().eval()

    rebuilt.load_state_dict(method.network.state_dict())

    shown, taps = batch().views[0], method.objective.taps
    with torch.no_grad():
        assert_close(rebuilt(shown, taps), method.network(shown, taps), rtol=0, atol=0)


def test_bf16_gives_a_loss_in_single_precision_near_that_of_fp32(kind: str) -> None:
    torch.manual_seed(0)
    expected = built(kind)(batch(), None).loss
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        found = built(kind)(batch(), None).loss

    assert found.dtype == torch.float32
    assert_close(found, expected, rtol=0.1, atol=0.05)


def test_a_single_image_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match=r"plan\.batch_size"):
        built(kind)(batch(images=1), None)


def test_a_single_view_is_refused(kind: str) -> None:
    shown = batch()

    with pytest.raises(UsageError, match="2 views"):
        built(kind)(shown._replace(views=shown.views[:1]), None)


def test_settings_survive_json(kind: str) -> None:
    asked = settings(kind)

    assert ALL.validate_json(asked.model_dump_json()) == asked


def test_every_setting_is_documented(kind: str) -> None:
    fields = type(settings(kind)).model_fields
    silent = [name for name, field in fields.items() if name != "kind" and not field.description]

    assert silent == []
