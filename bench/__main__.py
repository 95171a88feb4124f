"""Runs every race; each prints ratios measured in one run. `--write FILE` keeps them as a page."""

import argparse
from collections.abc import Callable
from pathlib import Path

from bench import augment, distill, simclr, stages, start, workers
from bench.table import Table, shown, write_page

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--write", type=Path, metavar="FILE", help="page of Markdown to write")
    arguments.add_argument(
        "--only",
        nargs="+",
        metavar="RACE",
        help="of start, augment, stages, simclr, workers, distill; the page keeps the others",
    )
    distill.asked_for(arguments)
    asked = arguments.parse_args()
    races: dict[str, Callable[[], Table]] = {
        "start": start.table,
        "augment": augment.table,
        "stages": stages.table,
        "simclr": lambda: simclr.table(asked.data),
        "workers": workers.table,
        "distill": lambda: distill.table(asked.data, asked.place),
    }
    if unknown := set(asked.only or ()) - races.keys():
        arguments.error(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(races)}")
    tables = [shown(races[name]()) for name in asked.only or races]
    if asked.write:
        write_page(tables, asked.write)
