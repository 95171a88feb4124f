"""`understudy runs list`: what lies in a folder of runs, newest first; no torch."""

import json
import sys
from pathlib import Path

from rich.console import Console

from understudy.cli.plain_text import plain
from understudy.results.inventory import inventory
from understudy.results.inventory_screen import listed, show_inventory, tabbed


def runs_list(folder: Path, *, as_json: bool) -> None:
    """Prints a table on a terminal, lines with tabs in a pipe, or JSON where asked for.

    Raises:
        UnderstudyError: There is no such folder.
    """
    found = inventory(folder)
    if as_json:
        print(json.dumps({"folder": str(folder), "bytes": found.size, "found": listed(found)}))
    elif sys.stdout.isatty():
        show_inventory(found, Console(highlight=False))
    else:
        print("\n".join(map(plain, tabbed(found))))
