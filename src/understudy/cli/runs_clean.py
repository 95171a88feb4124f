"""`understudy runs clean`: proposes what can go, asks, and removes it; no torch."""

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from understudy.cli.failures import complain
from understudy.cli.plain_text import plain
from understudy.core.errors import UnderstudyError, UsageError
from understudy.core.removal import remove_run, remove_shared
from understudy.results.formats import plural, size
from understudy.results.inventory import inventory
from understudy.results.spare import Proposal, Spare, proposal
from understudy.results.strips import Strip, table_of

YES = ("y", "yes")


def runs_clean(folder: Path, *, unused: bool, yes: bool) -> int:
    """Lists what can go, and removes it where the answer is yes.

    Returns:
        0, or the exit code of the first thing that would not go.

    Raises:
        UsageError: Nobody is there to answer, and `--yes` is not given.
        UnderstudyError: There is no such folder.
    """
    proposed = proposal(inventory(folder), unused=unused)
    _show(proposed, folder)
    if not proposed.spare:
        return 0
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("nothing was removed: nobody can be asked here. --yes removes it all.")
    if not yes and not _agreed(proposed):
        print("Nothing was removed.")
        return 0
    return _removed(proposed, folder, unused=unused)


def _show(proposed: Proposal, folder: Path) -> None:
    if proposed.spare:
        strips = [
            Strip("what", [one.what for one in proposed.spare], False, 0),
            Strip("size", [size(one.size) for one in proposed.spare], True, 0),
            Strip("path", [_below(one.path, folder) for one in proposed.spare], False, 0),
            Strip("why it can go", [one.reason for one in proposed.spare], False, 0),
        ]
        console = Console(highlight=False)
        console.print(table_of(strips, console))
        print(f"{plural(len(proposed.spare), 'thing')}, {size(proposed.size)} together.")
    else:
        print(plain(f"Nothing in {folder} can go."))
    for sentence in proposed.kept:
        print(plain(sentence))


def _below(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder))


def _agreed(proposed: Proposal) -> bool:
    """Whether a person says yes; no answer is a no."""
    try:
        told = input(f"Remove {size(proposed.size)} for good? [y/N] ")
    except EOFError:
        return False
    return told.strip().lower() in YES


def _removed(proposed: Proposal, folder: Path, *, unused: bool) -> int:
    """Removes what can still go now: a study may have begun while the question stood there."""
    paths = {one.path for one in proposed.spare}
    now = [one for one in proposal(inventory(folder), unused=unused).spare if one.path in paths]
    done, code = 0, 0
    for one in now:
        try:
            _remove(one)
        except UnderstudyError as error:
            complain(str(error))
            code = code or error.exit_code
            continue
        done += one.size
    print(f"Removed {size(done)}.")
    return code


def _remove(one: Spare) -> None:
    if one.what == "run":
        remove_run(one.path)
        return
    remove_shared(one.path, lock=one.lock)
    if one.what == "pack":
        for note in _notes_of(one.path):
            remove_shared(note, lock=None)


def _notes_of(pack: Path) -> Iterator[Path]:
    """The small files that name the pack by its files' times."""
    for note in pack.parent.glob("*.key"):
        if note.read_text(encoding="utf-8", errors="replace").strip() == pack.name:
            yield note
