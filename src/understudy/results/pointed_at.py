"""The one run that a person means by a path, an id, or the beginning of one."""

from pathlib import Path

from understudy.core.wording import nearest
from understudy.results.errors import ReportError
from understudy.results.inventory import Inventory, Stored

MOST_SHOWN = 8


def pointed_at(found: Inventory, asked: str) -> Stored:
    """The run.

    Args:
        found: The folder of runs to look in.
        asked: Its directory, `stage/name-identity`, its name, its identity, or the beginning of
            any of these that no other run shares.

    Raises:
        ReportError: No run or more than one is meant.
    """
    place = Path(asked).absolute()
    exact = [
        run for run in found.runs if asked in _names(run) or run.record.path.absolute() == place
    ]
    begun = [run for run in found.runs if any(name.startswith(asked) for name in _names(run))]
    meant = exact or begun
    if len(meant) == 1 and asked:
        return meant[0]
    if len(meant) > 1:
        some = ", ".join(run.record.id for run in meant[:MOST_SHOWN])
        more = f" and {len(meant) - MOST_SHOWN} more" if len(meant) > MOST_SHOWN else ""
        raise ReportError(f"{asked!r} may mean {len(meant)} runs: {some}{more}. Give more of one.")
    known = list(dict.fromkeys(run.record.name for run in found.runs))
    some = nearest(asked, known) if len(known) <= MOST_SHOWN else "`understudy runs list` has them."
    raise ReportError(f"no run in {found.folder} is called {asked!r}. {some}")


def _names(run: Stored) -> tuple[str, ...]:
    return (run.record.id, run.record.path.name, run.record.name, run.identity)
