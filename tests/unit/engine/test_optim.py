import pytest
import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.engine.guard import Guard
from understudy.engine.optim import AdamWSettings, LarsSettings, SgdSettings
from understudy.objectives.memory import Memory

NAN = float("nan")
ALL = [SgdSettings(), AdamWSettings(), LarsSettings()]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))


def state_of(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    for position, state in optimizer.state_dict()["state"].items():
        kept |= {f"{position}.{name}": value.clone() for name, value in state.items()}
    return kept


def step(module: nn.Module, guard: Guard, images: torch.Tensor, factor: float = 1.0) -> float:
    guard.remember()
    loss = module(images).square().mean() * factor
    loss.backward()
    spoiled = guard.step(loss)
    module.zero_grad()
    return float(spoiled)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.kind)
def test_a_step_that_is_not_finite_changes_not_one_bit(
    settings: SgdSettings | AdamWSettings | LarsSettings, bad: float, layout: torch.memory_format
) -> None:
    module = network().to(memory_format=layout)
    optimizer = settings.build(module)
    guard = Guard(module, optimizer, max_norm=1.0)
    images = torch.randn(8, 3, 8, 8).to(memory_format=layout)
    assert step(module, guard, images) == 0
    before = state_of(module, optimizer)

    spoiled_images = images.clone()
    spoiled_images[0, 0, 0, 0] = bad
    assert step(module, guard, spoiled_images) == 1

    after = state_of(module, optimizer)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("order", [(1.0, NAN, 1.0), (NAN, 1.0, 1.0), (NAN, NAN, 1.0, 1.0)])
@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.kind)
def test_a_sound_step_after_a_spoiled_one_is_as_if_it_had_not_been(
    settings: SgdSettings | AdamWSettings | LarsSettings, order: tuple[float, ...]
) -> None:
    images = torch.randn(8, 3, 8, 8)
    spoilt, clean = network(), network()
    for module, factors in ((spoilt, order), (clean, (1.0, 1.0))):
        guard = Guard(module, settings.build(module), max_norm=None)
        for factor in factors:
            step(module, guard, images, factor)

    assert_close(spoilt.state_dict(), clean.state_dict(), rtol=0, atol=0)


class Remembers(nn.Module):
    """A network with a memory, of which a step moves a row."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()
        self.memory = Memory(torch.arange(100), width=4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        answers: torch.Tensor = self.network(images)
        made = answers.detach().repeat(1, 2)
        self.memory.remember(self.memory.rows(torch.arange(len(images))), made, made, momentum=0.5)
        return answers


def test_a_memory_is_put_back_without_being_copied() -> None:
    module = Remembers()
    guard = Guard(module, SgdSettings().build(module), max_norm=None)
    images = torch.randn(8, 3, 8, 8)
    assert step(module, guard, images) == 0
    before = {name: value.clone() for name, value in module.state_dict().items()}
    assert not any(kept.shape == module.memory.student.shape for kept in guard._before)

    assert step(module, guard, images, NAN) == 1
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert step(module, guard, images) == 0
    assert module.memory.step == 2


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.kind)
def test_tensors_of_one_dimension_are_not_decayed(settings: Settings) -> None:
    module = network()

    optimizer = settings.build(module)  # type: ignore[attr-defined]

    decays = {
        w.ndim > 1: group["weight_decay"]
        for group in optimizer.param_groups
        for w in group["params"]
    }
    assert decays[True] > 0
    assert decays[False] == 0


def test_frozen_parameters_are_left_out() -> None:
    module = network()
    module[0].requires_grad_(False)

    optimizer = SgdSettings().build(module)

    held = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    assert not held & {id(weight) for weight in module[0].parameters()}


def test_gradients_are_clipped_to_the_norm() -> None:
    module = network()
    optimizer = SgdSettings(learning_rate=1.0, momentum=0.0, weight_decay=0.0).build(module)
    before = [weight.detach().clone() for weight in module.parameters()]

    step(module, Guard(module, optimizer, max_norm=0.01), torch.randn(8, 3, 8, 8), factor=1e4)

    moved = [
        (after.detach() - old).square().sum()
        for after, old in zip(module.parameters(), before, strict=True)
    ]
    assert float(sum(moved)) ** 0.5 == pytest.approx(0.01, rel=1e-3)


def test_parts_that_lars_spares_take_the_plain_step_and_are_not_decayed() -> None:
    module = nn.ModuleDict({"backbone": nn.Linear(3, 2), "classifier": nn.Linear(2, 2)})
    before = {name: one.detach().clone() for name, one in module.named_parameters()}
    optimizer = LarsSettings(learning_rate=0.1, weight_decay=0.5, spared=("classifier",)).build(
        module
    )
    for weight in module.parameters():
        weight.grad = torch.ones_like(weight)

    optimizer.step()

    after = dict(module.named_parameters())
    for name in ("classifier.weight", "classifier.bias", "backbone.bias"):
        assert_close(after[name], before[name] - 0.1)
    assert not torch.allclose(after["backbone.weight"], before["backbone.weight"] - 0.1)


def test_a_part_to_spare_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="head_supervised"):
        LarsSettings(spared=("head_supervised",)).build(nn.Linear(2, 2))
