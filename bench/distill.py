"""Distilling resnet56 into resnet20: images a second, whole jobs, a study, five teachers.

`python -m bench.distill --data FOLDER` runs every race, about half an hour on two idle cores;
`--only steady` runs one. What is measured is kept in `--place`: the same command goes on where it
was stopped, and another folder, or none, starts again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

import torch
from torch import Tensor
from torch.testing import assert_close

from bench import arena, ours, peers
from bench.contestant import Contestant
from bench.peers import PEERS, Way
from bench.table import Table, shown
from understudy.core.files import read_json, write_json
from understudy.core.types import Batch
from understudy.methods.distilled import Distilled

PLACE = Path("runs/bench-distill")
HOPELESS = 2.0  # times slower uncompiled: such bf16 is not compiled; on a processor without it
IMAGES, EPOCHS, RING, STUDENTS = 50_000, 30, 8, 10  # of a study: CIFAR, and our defaults
Row = tuple[str, ...]


class Scale(NamedTuple):
    """How long it is measured."""

    rounds: int = 5
    """Of a race, its sides in turn."""
    steps: int = 8
    """In a round."""
    searched: int = 5
    """Steps of a way of theirs, after two that do not count."""
    banked: int = 512
    """Images of the part of a bank whose building is timed."""
    job: int = 100_000
    """Images of a whole job."""


WHOLE, GLANCE = Scale(), Scale(rounds=1, steps=1, searched=1, banked=64, job=512)


def table(
    data: Path | None = None,
    place: Path = PLACE,
    only: Sequence[str] = (),
    scale: Scale = WHOLE,
) -> Table:
    """Every race against the best of what others offer.

    Args:
        data: Images of 32x32; None: drawn ones.
        place: Where the arena and what was measured lie.
        only: Names of races; empty: all.
        scale: How long it is measured.
    """
    return Table(
        title="Distilling",
        command="python -m bench.distill",
        note=f"resnet56 into resnet20, batch {arena.BATCH}, crop and flip, soft labels at "
        f"T {arena.TEMPERATURE:g} with the labels, SGD. Each side in a process of its own, in "
        f"turn, median of {scale.rounds} rounds of {scale.steps} steps. The others: DataLoader and "
        "PIL, in the fastest of 0, 1, 2 workers, contiguous or channels_last, fp32 or bf16, "
        "compiled or not, found with the plain loop; the same networks, weights, loss and views, "
        "compared first. A study is summed up from measured speeds and counted in full: "
        f"{IMAGES:,} images, {EPOCHS} epochs, of {STUDENTS} students where it says so; its bank "
        "is built at the speed measured on a part. Whole jobs are wall time, from the process's "
        "start; ours also validates and saves.",
        head=("race", "ours", "theirs", "ratio", "wanted", "how"),
        rows=_rows(data, place, only or tuple(RACES), scale),
    )


def _rows(data: Path | None, place: Path, only: Sequence[str], scale: Scale) -> Iterator[Row]:
    here = arena.prepared(place.absolute(), data and data.absolute())
    must_compute_the_same(here)
    for name in only:
        kept = here.place / f"{name}.json"
        if not kept.exists():
            write_json(kept, list(RACES[name](here, scale)))
        yield from (tuple(row) for row in json.loads(kept.read_text()))


def steady(here: arena.Arena, scale: Scale) -> Iterator[Row]:
    """Images a second with the teacher in the loop."""
    way, _ = best_way(here, scale)
    computed = ["measure"]
    for precision in computed:
        theirs = way if precision == "measure" else way._replace(bf16=False)
        here_are = {peer: peers.missing(peer) for peer in PEERS}
        sides = {"ours": Contestant(ours.in_the_loop, here, precision)} | {
            peer: Contestant(peers.training, here, peer, theirs, 1)
            for peer, absent in here_are.items()
            if not absent
        }
        speeds = {side: arena.BATCH / second for side, second in _raced(sides, scale).items()}
        choice = sides["ours"].said
        both_fp32 = choice.startswith("fp32") and not theirs.bf16
        if precision == "measure" and not both_fp32:
            computed.append("fp32")
        wanted = "1.2" if precision == "fp32" else "2.0, 1.2 in fp32" if both_fp32 else "2.0"
        for peer, absent in here_are.items():
            if absent:
                yield f"in the loop, {peer}", f"{speeds['ours']:,.0f}", "", "", wanted, absent
                continue
            first = sides[peer].seconds_to_start
            yield (
                f"in the loop, {peer}",
                *_against(speeds["ours"], speeds[peer]),
                wanted,
                f"{choice}; theirs {theirs}, {first:.0f} s to start",
            )


def whole(here: arena.Arena, scale: Scale) -> Iterator[Row]:
    """Seconds of a job of 100,000 images, from the start of the process to its end."""
    _, found = best_way(here, scale)
    steps = -(-scale.job // arena.BATCH)
    way = min(found, key=lambda one: found[one][0] + steps * found[one][1])
    runs = here.place / "runs"
    taught = _teacher_run(here, runs)
    words = [
        *("distill", f"teacher={taught}", f"student.depth={arena.STUDENT}", "transfer=pool"),
        f"terms=[{{kind: label, weight: {arena.LABEL}}}, {{kind: soft_label, weight: "
        f"{arena.SOFT_LABEL}, temperature: {arena.TEMPERATURE}}}]",
        "views=[{transforms: [{kind: pad_and_crop}, {kind: horizontal_flip}]}]",
        *(f"plan={{steps: {steps}, observations: 1}}", "--runs", str(runs)),
    ]
    rmtree(runs / "shared" / "machine", ignore_errors=True)
    compiled = here.place / "inductor"
    rmtree(compiled, ignore_errors=True)
    told = [str(here.place), "plain loop", json.dumps(way), str(steps)]
    theirs = _wall([sys.executable, "-m", "bench.peers", *told], compiled / "theirs")
    print(f"  theirs, {way}: {theirs:.0f} s", flush=True)
    for warmth, seed in (("cold", 0), ("warm", 1)):
        out = runs / "distill" / warmth
        rmtree(out, ignore_errors=True)
        seconds = _understudy([*words, f"seed={seed}", "--out", str(out)], compiled / "ours")
        choice = read_json(out / "summary.json")["precision"]
        yield (
            f"{scale.job:,} images, {warmth}",
            *(f"{seconds:,.0f} s", f"{theirs:,.0f} s", f"{theirs / seconds:.2f}", "1.6"),
            f"{choice}; theirs {way}, plain loop",
        )


def study(here: arena.Arena, scale: Scale) -> Iterator[Row]:
    """Hours of ten students of one teacher, with the bank's building."""
    yield from _study(here, scale, 1, ((STUDENTS, RING), (STUDENTS, EPOCHS)), wanted="3.0")


def ensemble(here: arena.Arena, scale: Scale) -> Iterator[Row]:
    """Hours of students of five teachers, with the bank's building."""
    counted = ((1, RING), (STUDENTS, RING))
    yield from _study(here, scale, arena.TEACHERS, counted, wanted="7.0")


RACES: dict[str, Callable[[arena.Arena, Scale], Iterator[Row]]] = {
    "steady": steady,
    "whole": whole,
    "study": study,
    "ensemble": ensemble,
}


def _study(
    here: arena.Arena,
    scale: Scale,
    teachers: int,
    counted: Sequence[tuple[int, int]],
    *,
    wanted: str,
) -> Iterator[Row]:
    way, _ = best_way(here, scale)
    sides = {
        "ours": Contestant(ours.from_a_bank, here, teachers, RING, scale.banked),
        "theirs": Contestant(peers.training, here, "plain loop", way, teachers),
    }
    seconds = _raced(sides, scale)
    banked = sides["ours"].said
    for students, ring in counted:
        shown_to_students = students * EPOCHS * IMAGES
        we = IMAGES * ring / banked.views_per_second
        share = we / (we + shown_to_students / arena.BATCH * seconds["ours"])
        we += shown_to_students / arena.BATCH * seconds["ours"]
        they = shown_to_students / arena.BATCH * seconds["theirs"]
        yield (
            f"{students} student{'s' * (students > 1)}, {teachers} "
            f"teacher{'s' * (teachers > 1)}, {ring} views",
            *(f"{we / 3600:,.1f} h", f"{they / 3600:,.1f} h", f"{they / we:.2f}", wanted),
            f"{banked.choice}, {arena.BATCH / seconds['ours']:,.0f} images/s, bank "
            f"{banked.views_per_second:,.0f} views/s and {share:.0%} of the time; theirs {way}, "
            f"{arena.BATCH / seconds['theirs']:,.0f} images/s",
        )


def best_way(here: arena.Arena, scale: Scale) -> tuple[Way, dict[Way, tuple[float, float]]]:
    """The others' fastest settings, found with the plain loop.

    Returns:
        The fastest step, and for each way tried the seconds to start and of a step.
    """
    kept = here.place / "ways.json"
    if not kept.exists():
        write_json(
            kept, {"tried": [[*way, *found] for way, found in _searched(here, scale).items()]}
        )
    found = {Way(*fields): (start, step) for *fields, start, step in read_json(kept)["tried"]}
    return min(found, key=lambda way: found[way][1]), found


def _searched(here: arena.Arena, scale: Scale) -> dict[Way, tuple[float, float]]:
    found: dict[Way, tuple[float, float]] = {}

    def step_of(way: Way) -> float:
        if way not in found:
            side = Contestant(peers.training, here, "plain loop", way, 1)
            seconds = side.seconds(2 + scale.searched)[2:]
            side.end()
            found[way] = (side.seconds_to_start, arena.middle(seconds))
            print(f"  their way: {way}: {1000 * found[way][1]:.0f} ms a step", flush=True)
        return found[way][1]

    eager = min((Way(), Way(channels_last=True)), key=step_of)
    half = eager._replace(bf16=True)
    tried = [eager, half, eager._replace(compiled=True)]
    if step_of(half) < HOPELESS * step_of(eager):
        tried.append(half._replace(compiled=True))
    best = min(tried, key=step_of)
    for workers in (1, 2):
        step_of(best._replace(workers=workers))
    return found


def _raced(sides: dict[str, Contestant], scale: Scale) -> dict[str, float]:
    """Seconds of a step of each side, measured in turn; then they go home."""
    for side in sides.values():
        side.seconds(2)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(scale.rounds):
        for name, side in sides.items():
            seconds[name] += side.seconds(scale.steps)
        told = ", ".join(f"{name} {1000 * arena.middle(seconds[name]):.0f}" for name in sides)
        print(f"  round {number + 1} of {scale.rounds}, ms a step so far: {told}", flush=True)
    for side in sides.values():
        side.end()
    return {name: arena.middle(each) for name, each in seconds.items()}


def _against(we: float, they: float) -> tuple[str, str, str]:
    return f"{we:,.0f}", f"{they:,.0f}", f"{we / they:.2f}"


def _teacher_run(here: arena.Arena, runs: Path) -> Path:
    """A finished run of a teacher; of a few steps, for what it knows does not matter here."""
    plain = "{precision: fp32, memory_format: channels_last, compile: never}"
    words = [
        "train",
        *_data(here),
        f"backbone.depth={arena.TEACHER}",
        "plan={steps: 4, observations: 1}",
    ]
    out = runs / "train" / "teacher"
    where = ("--runs", str(runs), "--out", str(out))
    _understudy([*words, f"machine={plain}", *where], here.place / "inductor")
    return out


def _data(here: arena.Arena) -> list[str]:
    return [f"data.{key}={value}" for key, value in arena.source_of(here.data).items()]


def _understudy(words: Sequence[str], compiled: Path) -> float:
    return _wall([sys.executable, "-m", "understudy", *words], compiled)


def _wall(command: Sequence[str], compiled: Path) -> float:
    """Seconds of a new process; what it compiles lies in a folder of its own."""
    surrounding = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(compiled)}
    began = time.perf_counter()
    done = subprocess.run(command, env=surrounding, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return time.perf_counter() - began


def must_compute_the_same(here: arena.Arena) -> None:
    """Compares networks, loss and views of both sides before anything is timed."""
    pixels = torch.from_numpy(here.pixels[: arena.BATCH])
    labels, index = torch.from_numpy(here.labels[: arena.BATCH]), torch.arange(arena.BATCH)
    images = pixels.float() / 255
    method = Distilled(here.student(), ours.objective(here)).train()
    shown = Batch(views=(images,), labels=labels, index=index, view_ids=(index,))
    loss: Tensor = method(shown, ours.teacher(here, 1)(shown)).loss.detach()
    for peer in [peer for peer in PEERS if not peers.missing(peer)]:
        student = peers.Classifier(here.student()).train()
        assert arena.parameters(student) == arena.parameters(method.network)
        theirs = peers.loss_of(peer, student, peers.taught_by(here, 1))(images, labels)
        assert_close(theirs.detach(), loss, rtol=1e-3, atol=1e-5)
    means = [views.mean(dim=0) for views in _views_of_a_ramp()]
    assert float((means[0] - means[1]).abs().max()) < 0.05, "views are not drawn alike"


def _views_of_a_ramp() -> tuple[Tensor, Tensor]:
    """Many views of one image by either side."""
    return arena.views_of_a_ramp(ours.VIEWS[0], peers.crop_and_flip())


def asked_for(arguments: argparse.ArgumentParser) -> None:
    """Adds what this race can be told."""
    arguments.add_argument("--data", type=Path, metavar="FOLDER", help="images of 32x32")
    arguments.add_argument("--place", type=Path, default=PLACE, metavar="FOLDER", help="to work in")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="python -m bench.distill", description=__doc__)
    asked_for(arguments)
    arguments.add_argument("--only", nargs="+", choices=list(RACES), default=[], metavar="RACE")
    arguments.add_argument("--glance", action="store_true", help="a step of each, to see it run")
    asked = arguments.parse_args()
    place = asked.place / "glance" if asked.glance else asked.place
    shown(table(asked.data, place, asked.only, GLANCE if asked.glance else WHOLE))
