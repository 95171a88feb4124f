"""Runs every race; each prints ratios measured in one run. `--write FILE` keeps them as a page."""

import argparse
from pathlib import Path

from bench import augment, stages, start
from bench.table import shown, write_page

if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--write", type=Path, metavar="FILE", help="page of Markdown to write")
    place = asked.parse_args().write
    tables = [shown(race.table()) for race in (start, augment, stages)]
    if place:
        write_page(tables, place)
