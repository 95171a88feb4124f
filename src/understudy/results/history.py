"""What a run logged while it trained: the lines of metrics.jsonl, however they end."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from understudy.results.values import number

Over = Literal["step", "epoch"]
"""What a figure is told over: epochs compare runs of different batches."""
Point = tuple[float, float]
"""Step, or epoch, and value."""


@dataclass(frozen=True)
class History:
    """The readable lines of metrics.jsonl, in the order of their steps."""

    lines: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def series(self, *, phase: str, key: str, over: Over = "step") -> list[Point]:
        """The points (step, value) of one figure; a step without a finite value is left out."""
        return [
            (place, value)
            for line in self.lines
            if line.get("phase") == phase
            and (place := number(line.get(over))) is not None
            and (value := number(line.get(key))) is not None
        ]


def read_history(path: Path) -> History:
    """Reads metrics.jsonl; a torn last line, as a kill leaves it, is left out with a note.

    Where a step of a phase was logged twice (a resume after a crash), the later line counts.
    """
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return History(lines=(), notes=())
    except OSError as error:
        return History(lines=(), notes=(f"{path.name} cannot be read ({error.strerror}).",))

    raw = [line for line in content.split("\n") if line.strip()]
    parsed = [_parsed(line) for line in raw]
    latest = {(line["step"], line.get("phase")): line for line in parsed if line is not None}
    lines = sorted(latest.values(), key=lambda line: line["step"])
    return History(lines=tuple(lines), notes=tuple(_notes(path.name, parsed)))


def _notes(name: str, parsed: list[dict[str, Any] | None]) -> list[str]:
    if not parsed:
        return []
    notes = [f"{name}: the last line is torn and was left out."] if parsed[-1] is None else []
    damaged = sum(line is None for line in parsed[:-1])
    return notes + ([f"{name}: {damaged} damaged lines were left out."] if damaged else [])


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or number(content.get("step")) is None:
        return None
    return content


def thinned(points: list[Point], *, most: int) -> list[Point]:
    """At most `most` points: means of equal stretches, with the first and the last point exact."""
    if len(points) <= most:
        return points
    inner, stretches = points[1:-1], max(most - 2, 1)
    bounds = [len(inner) * edge // stretches for edge in range(stretches + 1)]
    parts = [inner[low:high] for low, high in pairwise(bounds)]
    means = [
        (sum(step for step, _ in part) / len(part), sum(value for _, value in part) / len(part))
        for part in parts
    ]
    return [points[0], *means, points[-1]]
