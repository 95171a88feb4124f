"""What a race prints, a line as soon as it is measured; and the page that keeps it."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import torch

from understudy.core.files import write_text
from understudy.engine.machine import describe

PACKAGES = ("understudy", "torch", "torchvision")

HEAD = (
    "# Speed",
    "",
    "Written by `python -m bench --write docs/results/speed.md`, not by hand. Both sides of",
    "a ratio were measured in turn, in one run; the ratio is what carries over to another",
    "machine.",
)


class Table(NamedTuple):
    """The result of one file of races."""

    title: str
    command: str
    """What measures it again."""
    note: str
    """How it was measured, in a sentence or two."""
    head: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]
    """Measured while they are read."""


def shown(table: Table) -> Table:
    """Prints a table while it is measured, and returns it with its rows at hand."""
    print(f"{table.title}: {table.note}")
    widths = [max(len(title), 12) for title in table.head]
    print(_line(table.head, widths))
    rows = []
    for row in table.rows:
        print(_line(row, widths), flush=True)
        rows.append(row)
    print()
    return table._replace(rows=rows)


def write_page(tables: Sequence[Table], path: Path) -> None:
    """Writes measured tables as a page of Markdown; what it says of others stays, in its place."""
    sections = {table.title: "\n".join(_section(table)) for table in tables}
    kept = path.read_text().split("\n## ")[1:] if path.exists() else []
    before = {section.partition("\n")[0]: f"## {section.rstrip()}" for section in kept}
    write_text(path, "\n\n".join(["\n".join(HEAD), *{**before, **sections}.values()]) + "\n")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = f"{cells[0]:<{max(widths[0], 22)}}"
    return first + "".join(f"  {cell:>{w}}" for cell, w in zip(cells[1:], widths[1:], strict=True))


def _section(table: Table) -> Iterator[str]:
    yield from (f"## {table.title}", "", f"`{table.command}`: {table.note}", "")
    yield from (f"Measured with {_machine()}.", "")
    yield f"| {' | '.join(table.head)} |"
    yield f"| {' | '.join('---' for _ in table.head)} |"
    yield from (f"| {' | '.join(row)} |" for row in table.rows)


def _machine() -> str:
    found = describe(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    gpu = f", {found['device']}" if torch.cuda.is_available() else ""
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return f"{found['threads']} threads of {found['processor']}{gpu}; {packages}"
