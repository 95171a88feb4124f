"""Classes as sets of labels: what an image of several labels is, told by those that it has."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from understudy.core.wording import closest
from understudy.data.check.finding import Finding
from understudy.data.sources.listing import quoted

Sets = Mapping[str, tuple[str, ...]]
"""Class names, and the labels of which any makes an image one of the class."""


def labels_in(path: Path) -> tuple[str, ...]:
    """The list `labels` of a JSON file, as BigEarthNet writes it.

    Raises:
        ValueError: It holds none.
    """
    try:
        found = json.loads(path.read_bytes())["labels"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no list `labels` ({type(error).__name__})") from error
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("`labels` is no list of names")
    return tuple(found)


def classes_of(labels: Iterable[str], sets: Sets) -> list[str]:
    """The classes that an image of these labels belongs to."""
    has = set(labels)
    return [name for name, members in sets.items() if has & set(members)]


def absent_classes(sets: Sets, seen: Iterable[str]) -> list[Finding]:
    """Classes none of whose labels any image has: misspelt, or not among these images."""
    there = sorted(set(seen))
    findings = []
    for name, members in sets.items():
        if set(members) & set(there):
            continue
        guess = next((one for member in members if (one := closest(member, there))), None)
        hint = f" Did you mean {guess!r}?" if guess else ""
        sentence = (
            f"no image has a label of the class {name!r}, which are {quoted(members)}.{hint} The "
            f"labels that there are: {quoted(there) or 'none'}."
        )
        findings.append(Finding("absent class", "error", sentence, (name,), 1))
    return findings
