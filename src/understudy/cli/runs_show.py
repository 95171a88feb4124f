"""`understudy runs show`: all that the files of one run say about it; no torch."""

from collections.abc import Iterator
from pathlib import Path

from understudy.cli.differing import differing
from understudy.cli.plain_text import plain, wrapped
from understudy.core.errors import UnderstudyError
from understudy.core.yaml import read_yaml
from understudy.results.disk import disk_use
from understudy.results.formats import size
from understudy.results.inventory import Inventory, Stored, inventory
from understudy.results.pointed_at import pointed_at
from understudy.results.standing import figures, standing
from understudy.results.values import mapping, number, text

MOST_FILES = 40


def runs_show(asked: str, *, folder: Path) -> None:
    """Prints one run.

    Raises:
        UnderstudyError: There is no such folder, or not one run is meant.
    """
    place = Path(asked)
    if not folder.is_dir() and place.is_dir():
        folder = place.absolute().parent.parent
    found = inventory(folder)
    if place.is_dir() and place.absolute() not in [r.record.path.absolute() for r in found.runs]:
        found = inventory(place.absolute().parent.parent)
    print(plain("\n".join(_lines(pointed_at(found, asked), found))))


def _lines(run: Stored, found: Inventory) -> Iterator[str]:
    record = run.record
    yield record.id
    yield from wrapped(standing(run), first="  ", indent="    ")
    studies = f", of the study {', '.join(run.studies)}" if run.studies else ", of no study"
    seed = f", seed {run.seed}" if run.seed is not None else ""
    yield f"  {record.stage} {record.name}{seed}{studies}; {size(run.size)} in {record.path}"
    for note in record.notes:
        yield from wrapped(note, first="  note: ", indent="    ")
    yield from _section("made from", [_relative(one) for one in _parents(run, found)])
    yield from _section("used by", [_relative(one) for one in _children(run, found)])
    yield from _section("settings that are not the defaults", _settings(run))
    yield from _section("figures", figures(record))
    yield from _section("computed with", _machine(run))
    yield from _section("files", list(_files(record.path)))


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{title}:"
        for line in lines:
            yield from wrapped(line, first="  ", indent="      ")


def _parents(run: Stored, found: Inventory) -> list[Stored]:
    return [other for other in found.runs if other.identity in (run.mentions or ())]


def _children(run: Stored, found: Inventory) -> list[Stored]:
    return [other for other in found.runs if run.identity in (other.mentions or ())]


def _relative(run: Stored) -> str:
    return run.record.id + ("" if run.state == "finished" else f" ({run.state})")


def _settings(run: Stored) -> list[str]:
    try:
        config = read_yaml(run.record.path / "config.yaml")
    except UnderstudyError as error:
        return [str(error)]
    return differing(run.record.stage, mapping(config.get("settings"))) or ["none"]


def _machine(run: Stored) -> list[str]:
    summary, machine = run.record.summary, mapping(run.record.environment.get("machine"))
    told = {
        "precision": text(summary.get("precision")),
        "device": text(machine.get("device")),
        "processor": text(machine.get("processor")),
        "threads": number(machine.get("threads")),
        "version": text(summary.get("version")),
    }
    return [f"{key}: {value}" for key, value in told.items() if value]


def _files(path: Path) -> Iterator[str]:
    files = sorted(one for one in path.rglob("*") if not one.is_dir() or one.is_symlink())
    for file in files[:MOST_FILES]:
        told = "link" if file.is_symlink() else size(disk_use(file).bytes)
        yield f"{told:>8}  {file.relative_to(path)}"
    if len(files) > MOST_FILES:
        yield f"          and {len(files) - MOST_FILES} more"
