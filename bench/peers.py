"""Distillation as others do it: a plain loop, timm's task, torchdistill's loss; one DataLoader.

`python -m bench.peers FOLDER PEER WAY STEPS` is a whole job of theirs, from the process's start.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms

from bench import arena, plain
from bench.contestant import Ready
from understudy.models.network import Network

PEERS = ("plain loop", "timm.task", "torchdistill")

Loss = Callable[[Tensor, Tensor], Tensor]
"""Images and labels to what is minimised."""


class Way(NamedTuple):
    """The settings that a user of theirs can turn."""

    workers: int = 0
    channels_last: bool = False
    bf16: bool = False
    compiled: bool = False

    def __str__(self) -> str:
        words = ["bf16" if self.bf16 else "fp32"]
        words += ["channels_last" if self.channels_last else "contiguous"]
        return " ".join(
            [*words, *(["compiled"] if self.compiled else []), f"{self.workers} workers"]
        )


class Labelled(plain.Pictures):
    """Pictures with their labels."""

    def __init__(self, here: arena.Arena) -> None:
        super().__init__(here.pixels, crop_and_flip(), views=1)
        self.labels = here.labels

    def __getitem__(self, place: int) -> tuple[Any, ...]:
        return *super().__getitem__(place), int(self.labels[place])


class Classifier(nn.Module):
    """A network of ours as theirs are called: images to logits."""

    num_classes, in_chans = 10, 3

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.pretrained_cfg = {"mean": (0.0,) * 3, "std": (1.0,) * 3}  # ours normalises for itself

    def forward(self, images: Tensor) -> Tensor:
        """Logits, [B, K]."""
        logits = self.network(images, arena.LOGITS).logits
        assert isinstance(logits, Tensor)
        return logits


class MeanOfProbabilities(nn.Module):
    """Several teachers as one writes them: the logarithm of their mean probability."""

    def __init__(self, members: list[Classifier]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """[B, K]."""
        said = [member(images).float().softmax(dim=1) for member in self.members]
        return torch.stack(said).mean(dim=0).clamp(min=1e-30).log()


def crop_and_flip() -> Any:
    """The usual augmentation of CIFAR; the network normalises."""
    return transforms.Compose(
        [
            transforms.RandomCrop(arena.SIZE, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
        ]
    )


def missing(peer: str) -> str:
    """Why a peer cannot take part, or ""."""
    module = {"timm.task": "timm.task", "torchdistill": "torchdistill.losses.mid_level"}.get(peer)
    try:
        if module:
            importlib.import_module(module)
    except ImportError as error:
        return f"not installed ({error})"
    return ""


def loss_of(peer: str, student: Classifier, teacher: nn.Module) -> Loss:
    """The loss in the peer's own words; all compute the same number."""
    if peer == "timm.task":
        return _timms(student, teacher)
    if peer == "torchdistill":
        return _torchdistills(student, teacher)
    warmth = arena.TEMPERATURE

    def written_out(images: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            taught = teacher(images)
        logits = student(images)
        soft = F.kl_div(
            F.log_softmax(logits / warmth, dim=1),
            F.softmax(taught / warmth, dim=1),
            reduction="batchmean",
        )
        return arena.LABEL * F.cross_entropy(logits, labels) + arena.SOFT_LABEL * warmth**2 * soft

    return written_out


def _timms(student: Classifier, teacher: nn.Module) -> Loss:
    distillation: Any = importlib.import_module("timm.task")
    task = distillation.LogitDistillationTask(
        student,
        teacher,
        criterion=nn.CrossEntropyLoss(),
        distill_loss_weight=arena.SOFT_LABEL,
        task_loss_weight=arena.LABEL,
        temperature=arena.TEMPERATURE,
        verbose=False,
    ).train()
    teacher.requires_grad_(False)

    def told(images: Tensor, labels: Tensor) -> Tensor:
        loss: Tensor = task(images, labels)["loss"]
        return loss

    return told


def _torchdistills(student: Classifier, teacher: nn.Module) -> Loss:
    losses: Any = importlib.import_module("torchdistill.losses.mid_level")
    criterion = losses.KDLoss(
        *(".", "output", ".", "output"),
        temperature=arena.TEMPERATURE,
        alpha=arena.LABEL,
        beta=arena.SOFT_LABEL,
    )

    def told(images: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            taught = teacher(images)
        heard = {".": {"output": taught}}
        loss: Tensor = criterion({".": {"output": student(images)}}, heard, labels)
        return loss

    return told


def taught_by(here: arena.Arena, teachers: int) -> nn.Module:
    """One teacher, or the mean of several; frozen."""
    members = [Classifier(here.teacher(number)) for number in range(teachers)]
    teacher = members[0] if teachers == 1 else MeanOfProbabilities(members)
    return teacher.requires_grad_(False).eval()


def training(here: arena.Arena, peer: str, way: Way, teachers: int) -> Ready:
    """A peer's endless training, in one way."""
    student, teacher = Classifier(here.student()).train(), taught_by(here, teachers)
    memory_format = torch.channels_last if way.channels_last else torch.contiguous_format
    for network in (student, teacher):
        network.to(memory_format=memory_format)
        if way.compiled:
            network.compile()
    return Ready(None, _steps(here, loss_of(peer, student, teacher), student, way))


def _steps(here: arena.Arena, loss_of: Loss, student: nn.Module, way: Way) -> Iterator[float]:
    loader = DataLoader(
        Labelled(here),
        batch_size=arena.BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=way.workers,
        persistent_workers=way.workers > 0,
    )
    optimizer = torch.optim.SGD(
        student.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True
    )
    memory_format = torch.channels_last if way.channels_last else torch.contiguous_format
    endless = chain.from_iterable(repeat(loader))
    while True:
        began = time.perf_counter()
        images, labels = next(endless)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16) if way.bf16 else nullcontext():
            loss = loss_of(images.contiguous(memory_format=memory_format), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        yield time.perf_counter() - began


if __name__ == "__main__":
    place, peer, way, steps = sys.argv[1:]
    here = arena.Arena(Path(place), Path())
    ready = training(here, peer, Way(*json.loads(way)), 1)
    print(f"{sum(islice(ready.steps, int(steps))):.1f} s of steps")
