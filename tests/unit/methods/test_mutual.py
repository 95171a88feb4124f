"""Peers that teach each other, against the paper's formula written out."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn
from torch.testing import assert_close

from understudy.core.types import Batch, Outputs, Shape, Targets
from understudy.methods.mutual import Mutual, mutual_loss
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.ensemble import EnsembleNetworkSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.distill.dist import DistSettings
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import Combined, combine

BATCH, CLASSES = 8, 3
LABELS = torch.tensor([0, 1, 2, -1, 1, -1, 2, 0])
LOGITS = Shape(pooled=0, stages=(), num_classes=CLASSES)
PAPER = (LabelSettings(), SoftLabelSettings(temperature=1.0))


def objective(*terms: object) -> Combined:
    return combine(
        terms or PAPER,  # type: ignore[arg-type]
        student=LOGITS,
        guidance=LOGITS,
        images=torch.arange(BATCH),
    )


def logits(peers: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [
        torch.randn(BATCH, CLASSES, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(peers)
    ]


def targets(rows: slice = slice(None)) -> Targets:
    return Targets(labels=LABELS[rows], index=torch.arange(BATCH)[rows])


def network(width: float, seed: int) -> Network:
    return described(width).build(mean=[0.5], std=[0.2], seed=seed)


def described(width: float) -> NetworkSettings:
    backbone = CifarResNetSettings(depth=8, width=width)
    return NetworkSettings(backbone=backbone, channels=1, size=8, classes=("a", "b", "c"))


def batch() -> Batch:
    index = torch.arange(BATCH)
    images = torch.rand(BATCH, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return Batch(views=(images,), labels=LABELS, index=index, view_ids=(index * 0,))


@pytest.mark.parametrize("peers", [2, 3])
def test_each_peer_learns_the_papers_loss(peers: int) -> None:
    own = logits(peers)
    known = LABELS >= 0

    loss, terms = mutual_loss(objective(), [(Outputs(logits=one),) for one in own], targets())
    gradients = torch.autograd.grad(loss, own)

    for place, mine in enumerate(own):
        free = mine.detach().requires_grad_()
        expected = F.cross_entropy(free[known], LABELS[known])
        for other in own[:place] + own[place + 1 :]:
            theirs = other.detach().softmax(dim=1)
            divergence = (theirs * (theirs.log() - free.log_softmax(dim=1))).sum(dim=1).mean()
            expected = expected + divergence / (peers - 1)
        assert_close(terms[f"peer{place + 1}"], expected)
        assert_close(gradients[place], torch.autograd.grad(expected, free)[0])
    assert_close(loss, torch.stack([terms[f"peer{place + 1}"] for place in range(peers)]).sum())


@pytest.mark.parametrize("keep", ["one", "mean"])
def test_all_peers_learn_and_none_is_there_twice(keep: str) -> None:
    peers = [network(0.5, seed=1), network(0.25, seed=2), network(0.5, seed=3)]
    together = EnsembleNetworkSettings(
        members=(described(0.5), described(0.25), described(0.5)),
        mean="probabilities",
        weights=(1, 1, 1),
        size=8,
    )
    kept = peers[1] if keep == "one" else together.of(peers)
    method = Mutual(peers, objective(), network=kept).train()
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-2)
    before = [[weight.detach().clone() for weight in peer.parameters()] for peer in peers]
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        output = method(batch(), None)
        output.loss.backward()
        optimizer.step()
        losses.append(float(output.loss.detach()))

    assert losses[-1] < losses[0]
    for peer, old in zip(peers, before, strict=True):
        assert any(
            not torch.equal(weight, was) for weight, was in zip(peer.parameters(), old, strict=True)
        )
    counted = sum(weight.numel() for weight in method.parameters())
    assert counted == sum(weight.numel() for peer in peers for weight in peer.parameters())
    assert not any(term.requires_grad for term in output.terms.values())


def take_half(rank: int, folder: Path) -> None:
    """One of two processes: the loss of all peers on its half of the batch."""
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    torch.save(gradients(slice(rank * BATCH // 2, (rank + 1) * BATCH // 2)), folder / f"{rank}.pt")
    distributed.destroy_process_group()


def gradients(rows: slice) -> list[Tensor]:
    own = [one[rows].detach().requires_grad_() for one in logits(3)]
    coupled = objective(*PAPER, DistSettings())
    loss, _ = mutual_loss(coupled, [(Outputs(logits=one),) for one in own], targets(rows))
    return list(torch.autograd.grad(loss, own))


@pytest.mark.slow
def test_the_mean_gradient_of_two_processes_is_that_of_one_with_the_whole_batch(
    tmp_path: Path,
) -> None:
    """The halves have unequally many labels, and DIST couples the images."""
    spawn(take_half, args=(tmp_path,), nprocs=2)  # type: ignore[no-untyped-call]
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))

    for mine, other, whole in zip(first, second, gradients(slice(None)), strict=True):
        assert_close(torch.cat([mine, other]) / 2, whole)
