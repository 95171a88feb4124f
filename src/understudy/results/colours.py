"""One colour per name: the accent for the student, quiet ones for what it is compared with."""

from collections.abc import Iterable

from understudy.results.rows import STUDENTS

ROLES = {
    "train": "var(--baseline)",
    "finetune": "var(--teacher)",
    "ensemble": "var(--teacher)",
    "pretrain": "var(--pretrain)",
    "adopt": "var(--pretrain)",
}
SERIES = tuple(f"var(--series-{number})" for number in range(1, 7))
ACCENT = "var(--accent)"
LEARNLESS = frozenset({"evaluate", "export"})
"""Stages that appear in no plot."""


def colours(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Colours by name; variables of the page's style, so that light and dark have their own.

    Args:
        names: Pairs of name and stage, in study order. The first of a stage gets the stage's
            colour, the first student the accent, all others one of a series.
    """
    found: dict[str, str] = {}
    for name, stage in names:
        if name in found or stage in LEARNLESS:
            continue
        wanted = ACCENT if stage in STUDENTS else ROLES.get(stage)
        taken = set(found.values())
        free = (colour for colour in SERIES if colour not in taken)
        found[name] = (
            wanted
            if wanted and wanted not in taken
            else next(free, SERIES[len(found) % len(SERIES)])
        )
    return found
