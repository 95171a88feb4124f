"""SimCLR beside lightly: source images a second, and what the augmentation takes of our step.

Run with `python -m bench.simclr --data FOLDER`. Theirs is the loop of lightly's examples: its
transform on PIL images in a DataLoader, its loss, each view by itself. The network, its weights and
the views are the same; the views are compared first, and so is the loss.
"""

import argparse
import importlib
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import torch
from torch.testing import assert_close
from torch.utils.data import DataLoader

from bench import arena, plain
from bench.contestant import Contestant, Ready
from bench.peers import Way
from bench.stages import SIMCLR
from bench.step import batches_of, fastest, our_steps
from bench.table import Table, shown
from understudy.core.types import Batch, Tap
from understudy.data.views import ViewSettings
from understudy.engine.memory import keep_freed_memory
from understudy.guidance.guide import unguided
from understudy.methods.siamese import Siamese
from understudy.methods.simclr import SimclrSettings
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.selfsup.nt_xent import nt_xent

PLACE = Path("runs/bench-simclr")
DEPTH, BATCH, TEMPERATURE = 20, 256, 0.5
ROUNDS, STEPS = 3, 5
SEARCHED = 3  # steps of a way of theirs, after two that do not count
WANTED, WANTED_SHARE = "2.0", "at most 25 %"
CROP = {"kind": "random_resized_crop", "scale": [0.08, 1.0]}
VIEWS = (ViewSettings.model_validate({"transforms": [CROP, *SIMCLR[1:]]}),) * 2
Row = tuple[str, ...]


def table(data: Path | None = None, place: Path = PLACE) -> Table:
    """SimCLR's step against the best of lightly's.

    Args:
        data: Images of 32x32; None: drawn ones.
        place: Where the images lie that both sides read.
    """
    return Table(
        title="SimCLR",
        command="python -m bench.simclr",
        note=f"source images a second of SimCLR, ResNet-{DEPTH}, batch {BATCH}, two views, the "
        "augmentations that lightly advises for CIFAR. Each side in a process of its own, in "
        f"turn, median of {ROUNDS} rounds of {STEPS} steps. Theirs: its transform on PIL images "
        "in a DataLoader with the fastest of 0, 1 and 2 workers, its loss, each view by itself, "
        "fp32; first as in its examples, then compiled and in channels_last too. The augmentation "
        "is the time to make the batch, as a share of our step.",
        head=("race", "ours", "theirs", "ratio", "wanted", "how"),
        rows=_rows(data, place),
    )


def _rows(data: Path | None, place: Path) -> Iterator[Row]:
    here = arena.prepared(place.absolute(), data and data.absolute())
    if absent := missing():
        yield "lightly", "", "", "", WANTED, absent
    else:
        must_compute_the_same()
        yield from _beside_lightly(here)
    making, whole = Contestant(making_batches, here), Contestant(ours, here)
    speeds = _raced({"views": making, "whole": whole})
    share = speeds["whole"] / speeds["views"]
    yield "augmentation, of our step", f"{share:.0%}", "", "", WANTED_SHARE, whole.said


def _beside_lightly(here: arena.Arena) -> Iterator[Row]:
    eager = max((Way(workers=workers) for workers in (0, 1, 2)), key=lambda way: _glance(here, way))
    best = max(
        (eager, eager._replace(channels_last=True, compiled=True)),
        key=lambda way: _glance(here, way),
    )
    sides = {"ours": Contestant(ours, here)}
    for way in dict.fromkeys((eager, best)):
        sides[str(way)] = Contestant(lightlys, here, way)
    speeds = _raced(sides)
    for words, way in dict.fromkeys([("as in its examples", eager), ("at its best", best)]):
        we, they = speeds["ours"], speeds[str(way)]
        yield (
            f"lightly, {words}",
            *(f"{we:,.0f}", f"{they:,.0f}", f"{we / they:.2f}", WANTED),
            f"{sides['ours'].said}; theirs {way}",
        )


def _glance(here: arena.Arena, way: Way) -> float:
    side = Contestant(lightlys, here, way)
    seconds = side.seconds(2 + SEARCHED)[2:]
    side.end()
    speed = BATCH / arena.middle(seconds)
    print(f"  their way: {way}: {speed:,.0f} images/s", flush=True)
    return speed


def _raced(sides: dict[str, Contestant]) -> dict[str, float]:
    """Source images a second of each side, measured in turn; then they go home."""
    for side in sides.values():
        side.seconds(2)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            seconds[name] += side.seconds(STEPS)
    for side in sides.values():
        side.end()
    return {name: BATCH / arena.middle(each) for name, each in seconds.items()}


def missing() -> str:
    """Why lightly cannot take part, or ""."""
    try:
        importlib.import_module("lightly.loss")
        importlib.import_module("lightly.transforms")
    except ImportError as error:
        return f"not installed ({error})"
    return ""


def learner() -> Network:
    """The same at every call."""
    return NetworkSettings(
        backbone=CifarResNetSettings(depth=DEPTH),
        channels=3,
        size=arena.SIZE,
        classes=None,
        projector=ProjectorSettings(),
    ).build(mean=(0.5,) * 3, std=(0.25,) * 3, seed=0)


def ours(here: arena.Arena) -> Ready:
    """Our endless training."""
    keep_freed_memory()
    method = _method(here)
    batches = batches_of(here.pixels, here.labels, VIEWS, batch_size=BATCH)
    choice = fastest(method, unguided, batches)
    return Ready(str(choice), our_steps(method, unguided, batches(choice), choice))


def making_batches(here: arena.Arena) -> Ready:
    """Nothing but the batches of our training."""
    keep_freed_memory()
    batches = batches_of(here.pixels, here.labels, VIEWS, batch_size=BATCH)
    choice = fastest(_method(here), unguided, batches)
    return Ready(str(choice), _seconds_of(batches(choice)))


def _method(here: arena.Arena) -> Siamese:
    settings = SimclrSettings.model_validate(
        {"terms": [{"kind": "nt_xent", "temperature": TEMPERATURE}]}
    )
    return settings.build(learner(), images=torch.arange(len(here.pixels)), seed=0)


def _seconds_of(batches: Iterator[Batch]) -> Iterator[float]:
    while True:
        began = time.perf_counter()
        next(batches)
        yield time.perf_counter() - began


def lightlys(here: arena.Arena, way: Way) -> Ready:
    """Their endless training, in one way."""
    network = learner().train()
    memory_format = torch.channels_last if way.channels_last else torch.contiguous_format
    network.to(memory_format=memory_format)
    if way.compiled:
        network.compile()
    return Ready(None, _their_steps(here, network, way))


def _their_steps(here: arena.Arena, network: Network, way: Way) -> Iterator[float]:
    loader = DataLoader(
        plain.Pictures(here.pixels, views_of_lightly(), views=2),
        batch_size=BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=way.workers,
        persistent_workers=way.workers > 0,
    )
    criterion = _their_loss()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.06)  # of their example
    memory_format = torch.channels_last if way.channels_last else torch.contiguous_format
    endless = chain.from_iterable(repeat(loader))
    while True:
        began = time.perf_counter()
        views = [view.contiguous(memory_format=memory_format) for view in next(endless)]
        projected = [network(view, frozenset({Tap.PROJECTED})).projected for view in views]
        loss = criterion(*projected)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        yield time.perf_counter() - began


def _their_loss() -> Any:
    return importlib.import_module("lightly.loss").NTXentLoss(temperature=TEMPERATURE)


def views_of_lightly() -> Any:
    """Its transform for CIFAR: half the strength, no blur; the network normalises."""
    transforms = importlib.import_module("lightly.transforms.simclr_transform")
    return transforms.SimCLRViewTransform(
        input_size=arena.SIZE, cj_strength=0.5, gaussian_blur=0.0, normalize=None
    )


def must_compute_the_same() -> None:
    """Compares loss and views of both sides before anything is timed."""
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, BATCH, 128, generator=random)
    assert_close(_their_loss()(first, second), nt_xent(first, second, TEMPERATURE))
    ours, theirs = arena.views_of_a_ramp(VIEWS[0], views_of_lightly())
    for statistic in (torch.mean, torch.std):
        apart = (statistic(ours, dim=0) - statistic(theirs, dim=0)).abs().mean()
        assert float(apart) < 0.02, f"views are not drawn alike: {statistic.__name__} {apart:.3f}"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="python -m bench.simclr", description=__doc__)
    arguments.add_argument("--data", type=Path, metavar="FOLDER", help="images of 32x32")
    arguments.add_argument("--place", type=Path, default=PLACE, metavar="FOLDER", help="to work in")
    asked = arguments.parse_args()
    shown(table(asked.data, asked.place))
