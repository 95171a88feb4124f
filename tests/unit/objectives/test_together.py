"""That two processes make the gradient of one is a law of the contract, for every objective."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.testing import assert_close

from understudy.objectives.together import gathered, weighted_mean


@pytest.fixture
def group_of_one(tmp_path: Path) -> Iterator[None]:
    meeting = f"file://{tmp_path}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_a_process_alone_has_the_whole_batch() -> None:
    values = torch.randn(3, 2)

    assert gathered(values) is values


@pytest.mark.usefixtures("group_of_one")
def test_a_group_of_one_has_the_whole_batch_with_its_gradient() -> None:
    values = torch.randn(3, 2, requires_grad=True)

    together = gathered(values.T)
    together[1].sum().backward()  # type: ignore[no-untyped-call]

    assert_close(together, values.T)
    assert_close(values.grad, torch.tensor([[0.0, 1.0]] * 3))


@pytest.mark.usefixtures("group_of_one")
def test_whole_numbers_are_gathered_too() -> None:
    assert gathered(torch.tensor([3, -1])).tolist() == [3, -1]


def test_a_mean_is_of_what_counts() -> None:
    values = torch.tensor([1.0, 5.0, 9.0], dtype=torch.float64)

    assert weighted_mean(values, torch.tensor([True, False, True]), least=1e-6).item() == 5
    assert weighted_mean(values, torch.tensor([0.25, 0.75, 0.0]), least=1e-6).item() == 4


def test_nothing_that_counts_gives_zero_with_zero_gradient() -> None:
    values = torch.randn(3, requires_grad=True)

    found = weighted_mean(values, torch.zeros(3), least=1e-6)
    found.backward()  # type: ignore[no-untyped-call]

    assert found.item() == 0
    assert_close(values.grad, torch.zeros(3))


@pytest.mark.usefixtures("group_of_one")
def test_a_step_that_gathers_stays_one_graph() -> None:
    values = torch.randn(3, 2)
    compiled = torch.compile(gathered, fullgraph=True, backend="eager")

    assert_close(compiled(values), values)
