"""`understudy runs`: its commands, their words, options and help."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

RUNS = Path("runs")
CLEANED = """What can go: runs that are neither finished nor running and that no study asks
for, packs of images that no run uses, banks of teachers that are gone, and
files that killed processes left.
What a study needs, what a run that stays was made from, and what a process works
on is never touched. To do away with a study, delete its folder in `studies/`,
then clean with --unused."""

stored = App(name="runs", help="Look after a folder of runs: list, show, clean.")


@stored.command(name="list", sort_key=0)
def runs_list(
    folder: Path = RUNS,
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """List what lies in a folder of runs, newest first: state, size, age, study.

    Args:
        folder: The folder of runs.
        as_json: Print JSON. In a pipe the list has tabs between its columns.
    """
    from understudy.cli.runs_list import runs_list

    runs_list(folder, as_json=as_json)


@stored.command(name="show", sort_key=1)
def runs_show(run: str, /, *, runs: Path = RUNS) -> None:
    """Show one run: settings, parents, figures, files, and why it is not finished.

    Args:
        run: Its directory, id or name, or so much of their beginning as no other run shares.
        runs: The folder of runs.
    """
    from understudy.cli.runs_show import runs_show

    runs_show(run, folder=runs)


@stored.command(name="clean", sort_key=2, help_epilogue=CLEANED)
def runs_clean(
    folder: Path = RUNS,
    /,
    *,
    unused: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """List what can go, and remove it where you say yes.

    Args:
        folder: The folder of runs.
        unused: Also finished runs that no study names.
        yes: Remove without asking.
    """
    from understudy.cli.runs_clean import runs_clean

    return runs_clean(folder, unused=unused, yes=yes)
