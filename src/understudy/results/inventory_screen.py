"""A folder of runs as a table, as lines for other programs, and as JSON values."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from understudy.results.formats import ABSENT, plural, size
from understudy.results.inventory import Inventory, Shared, Stored
from understudy.results.strips import Strip, table_of, text_of

LEAST_DIGITS = 6  # of an identity, where so few tell all runs apart
UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


def show_inventory(found: Inventory, console: Console) -> None:
    """Prints the runs, newest first, what they share, and how much that is together."""
    now = time.time()
    if found.runs:
        console.print(table_of(_runs(found, now), console))
        console.print()
    if found.shared:
        console.print(table_of(_beside(found.shared, found.runs, now), console))
        console.print()
    told = f"{plural(len(found.runs), 'run')}, {size(found.size)} in {found.folder}"
    left = f"; {plural(len(found.left), 'file')} left by killed processes" if found.left else ""
    console.print(text_of(f"{told}{left}", console), soft_wrap=True)


def tabbed(found: Inventory) -> Iterator[str]:
    """The same with tabs between full values, for a pipe."""
    yield "\t".join(("what", "state", "seed", "bytes", "changed", "study", "path"))
    for one in listed(found):
        seed = "" if one["seed"] is None else str(one["seed"])
        cells = (one["state"], seed, str(one["bytes"]), one["changed"], ",".join(one["studies"]))
        clean = [" ".join(cell.split()) for cell in (one["what"], *cells, one["path"])]
        yield "\t".join(clean)


def listed(found: Inventory) -> list[dict[str, Any]]:
    """Everything as JSON values: runs newest first, then what they share."""
    runs: list[dict[str, Any]] = [
        {
            "what": run.record.stage,
            "name": run.record.name,
            "id": run.record.id,
            "identity": run.identity,
            "state": run.state,
            "seed": run.seed,
            "bytes": run.size,
            "changed": _moment(run.changed),
            "studies": list(run.studies),
            "path": str(run.record.path),
        }
        for run in found.runs
    ]
    beside: list[dict[str, Any]] = [
        {
            "what": one.what,
            "name": one.path.name,
            "state": "",
            "seed": None,
            "bytes": one.size,
            "changed": _moment(one.changed),
            "studies": [],
            "path": str(one.path),
        }
        for one in found.shared
    ]
    return [*runs, *beside]


def age(seconds: float) -> str:
    """A time in its largest unit: 40 s, 12 min, 5 h, 3 d."""
    for unit, length in UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def digits(runs: Sequence[Stored]) -> int:
    """How many digits of an identity tell the runs apart."""
    identities = {run.identity for run in runs}
    lengths = range(LEAST_DIGITS, max(map(len, identities), default=0))
    told = (n for n in lengths if len({one[:n] for one in identities}) == len(identities))
    return next(told, max(map(len, identities), default=LEAST_DIGITS))


def _runs(found: Inventory, now: float) -> list[Strip]:
    runs, length = found.runs, digits(found.runs)
    seeds = [ABSENT if run.seed is None else str(run.seed) for run in runs]
    return [
        Strip("stage", [run.record.stage for run in runs], False, 0),
        Strip("name", [run.record.name for run in runs], False, 0),
        Strip("id", [run.identity[:length] for run in runs], True, 0),
        Strip("state", [run.state for run in runs], True, 0),
        Strip("seed", seeds, True, 1),
        Strip("size", [size(run.size) for run in runs], True, 0),
        Strip("age", [age(now - run.changed) for run in runs], True, 2),
        Strip("study", [", ".join(run.studies) or ABSENT for run in runs], False, 0),
    ]


def _beside(shared: Sequence[Shared], runs: Sequence[Stored], now: float) -> list[Strip]:
    notes = [_note(one, runs) for one in shared]
    return [
        Strip("what", [one.what for one in shared], False, 0),
        Strip("name", [_called(one) for one in shared], False, 0),
        Strip("size", [size(one.size) for one in shared], True, 0),
        Strip("age", [age(now - one.changed) for one in shared], True, 1),
        Strip("", notes, False, 0),
    ]


def _note(one: Shared, runs: Sequence[Stored]) -> str:
    if one.what == "pack":
        return f"images of {plural(sum(run.pack == one.path.name for run in runs), 'run')}"
    if one.what == "bank":
        teacher = next((run.record.id for run in runs if one.weights in run.weights), "")
        return f"answers of {teacher}" if teacher else "answers of a teacher that is gone"
    return ""


def _called(one: Shared) -> str:
    return one.path.name[:12] if one.what in ("pack", "bank") else one.path.name


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
