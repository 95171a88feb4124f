"""Images per second of each stage beside a plain loop: the same networks, batches and views.

Prints a ratio for each stage, both sides measured in turn in one run. Ours computes as a run on
this machine would: whatever `machine` measures as the fastest that computes the same.
"""

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bench import plain
from bench.step import batches_of, fastest, our_steps
from bench.table import Table, shown
from understudy.data.views import ViewSettings
from understudy.guidance.guide import Guide, unguided
from understudy.guidance.teacher import Teacher
from understudy.methods.distilled import Distilled
from understudy.methods.method import Method
from understudy.methods.simclr import SimclrSettings
from understudy.methods.supervised import Supervised
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.frozen import Frozen
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import combine

IMAGES, BATCH, ROUNDS, STEPS = 4096, 128, 2, 6  # the plain loops take minutes else
CROP = {"kind": "random_resized_crop", "scale": [0.5, 1.0]}
FLIP = {"kind": "horizontal_flip"}
SIMCLR = [
    {"kind": "random_resized_crop", "scale": [0.2, 1.0]},
    FLIP,
    {"kind": "color_jitter", "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1},
    {"kind": "grayscale"},
]


class Race(NamedTuple):
    """One stage, ours and plain."""

    name: str
    views: tuple[ViewSettings, ...]
    method: Callable[[], tuple[Method, Guide]]
    plain: Callable[[NDArray[np.uint8], int], Iterator[float]]


def network(depth: int, width: int, *, projector: bool = False) -> Network:
    """A network of the shipped CIFAR-10 study."""
    return NetworkSettings(
        backbone=CifarResNetSettings(depth=depth, width=width),
        channels=3,
        size=32,
        classes=None if projector else tuple("0123456789"),
        projector=ProjectorSettings() if projector else None,
    ).build(mean=(0.5,) * 3, std=(0.25,) * 3, seed=0)


def table() -> Table:
    """Images a second of every stage that trains."""
    return Table(
        title="Stages",
        command="python -m bench.stages",
        note=f"source images a second, batch {BATCH}, 32x32, median of {ROUNDS} rounds of {STEPS} "
        "steps; the plain loop (DataLoader, PIL) at its best of 0, 1 and 2 workers; distilling "
        "with the teacher in the loop.",
        head=("stage", "ours", "plain", "ratio", "workers", "computed in"),
        rows=_rows(),
    )


def _rows() -> Iterator[tuple[str, ...]]:
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, 3, 32, 32), dtype=np.uint8)
    for race in races():
        yield run(race, pixels)


def races() -> list[Race]:
    """Every stage that trains."""
    few = (ViewSettings.model_validate({"transforms": [CROP, FLIP]}),)
    two = (ViewSettings.model_validate({"transforms": SIMCLR}),) * 2
    return [
        Race("train (student)", few, partial(_supervised, 8, 1), partial(_plain_ce, 8, 1)),
        Race("pretrain", two, _simclr, _plain_simclr),
        Race(
            "finetune (teacher)",
            few,
            partial(_supervised, 8, 2),
            partial(_plain_ce, 8, 2),
        ),
        Race("distill", few, _distilled, _plain_kd),
    ]


def run(race: Race, pixels: NDArray[np.uint8]) -> tuple[str, ...]:
    """Measures both sides in turn; the plain loop at its best number of workers."""
    method, guide = race.method()
    batches = batches_of(pixels, np.zeros(IMAGES, np.int64), race.views, batch_size=BATCH)
    choice = fastest(method, guide, batches)
    ours = our_steps(method, guide, batches(choice), choice)
    others = {workers: race.plain(pixels, workers) for workers in (0, 1, 2)}
    for steps in (ours, *others.values()):
        list(islice(steps, 3))  # warm-up

    speeds: dict[Any, list[float]] = {name: [] for name in ("ours", *others)}
    for _ in range(ROUNDS):
        speeds["ours"].append(_speed(ours))
        for workers, steps in others.items():
            speeds[workers].append(_speed(steps))
    medians = {name: statistics.median(found) for name, found in speeds.items()}
    best = max(others, key=lambda workers: medians[workers])
    ours_speed, plain_speed = medians["ours"], medians[best]
    return (
        race.name,
        f"{ours_speed:,.0f}",
        f"{plain_speed:,.0f}",
        f"{ours_speed / plain_speed:.2f}",
        str(best),
        str(choice),
    )


def _speed(steps: Iterator[float]) -> float:
    return BATCH / statistics.median(islice(steps, STEPS))


def _supervised(depth: int, width: int) -> tuple[Method, Guide]:
    student = network(depth, width)
    objective = combine(
        [LabelSettings()], student=student.shape, guidance=None, images=torch.arange(BATCH)
    )
    return Supervised(student, objective), unguided


def _simclr() -> tuple[Method, Guide]:
    return SimclrSettings().build(
        network(8, 2, projector=True), images=torch.arange(BATCH), seed=0
    ), unguided


def _distilled() -> tuple[Method, Guide]:
    student, teacher = network(8, 1), network(8, 2)
    objective = combine(
        [SoftLabelSettings()],
        student=student.shape,
        guidance=teacher.shape,
        images=torch.arange(BATCH),
    )
    return Distilled(student, objective), Teacher(Frozen(teacher), taps=objective.guidance_taps)


def _plain_ce(depth: int, width: int, pixels: NDArray[np.uint8], workers: int) -> Iterator[float]:
    student = network(depth, width).train()
    return plain.steps(
        pixels,
        plain.supervised_views(),
        plain.cross_entropy(student),
        student,
        views=1,
        batch=BATCH,
        workers=workers,
    )


def _plain_simclr(pixels: NDArray[np.uint8], workers: int) -> Iterator[float]:
    learner = network(8, 2, projector=True).train()
    return plain.steps(
        pixels,
        plain.simclr_views(),
        plain.nt_xent(learner),
        learner,
        views=2,
        batch=BATCH,
        workers=workers,
    )


def _plain_kd(pixels: NDArray[np.uint8], workers: int) -> Iterator[float]:
    student, teacher = network(8, 1).train(), network(8, 2).eval()
    return plain.steps(
        pixels,
        plain.supervised_views(),
        plain.soft_labels(student, teacher),
        student,
        views=1,
        batch=BATCH,
        workers=workers,
    )


if __name__ == "__main__":
    shown(table())
