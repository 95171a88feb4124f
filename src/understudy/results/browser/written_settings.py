"""The settings of a run by dotted key, from its config.yaml as this program writes it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from math import inf

ITEM = re.compile(r"- ")
ITEMS = re.compile(r"^(- )+")
KEY = re.compile(r"""('(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^'"][^:]*): """)
"""A key before its value; names of classes are keys too, and may stand in quotes."""


def flat(config: str) -> Mapping[str, str]:
    """Every value by its key, `terms[0].kind`; of a file that we wrote, and so in block style.

    Parsing hundreds of files as YAML would take longer than all the rest of a page.
    """
    lines = config.split("\n")
    start = lines.index("settings:") + 1 if "settings:" in lines else len(lines)
    return dict(_values(lines[start:]))


def _values(lines: list[str]) -> Iterator[tuple[str, str]]:
    above: list[tuple[int, str]] = []  # indentation and name of what the line lies in
    counts: dict[tuple[str, ...], int] = {}
    for line in _joined(lines):
        body = line.lstrip(" ")
        depth = len(line) - len(body)
        if not depth:
            return
        while above and above[-1][0] >= depth + (body[:2] == "- " and above[-1][1][0] != "["):
            above.pop()
        while ITEM.match(body) or body == "-":
            place = tuple(name for _, name in above)
            counts[place] = counts.get(place, -1) + 1
            above.append((depth, f"[{counts[place]}]"))
            body, depth = body[2:], depth + 2
        keyed = KEY.match(body)
        if keyed or body.endswith(":"):
            above.append((depth, keyed[1] if keyed else body[:-1]))
        if keyed or not body.endswith(":"):
            yield _dotted(above), body[keyed.end() if keyed else 0 :].strip(" ")


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """The lines; those of one value that was too long for a line are joined."""
    whole, within = "", inf
    for line in lines:
        body = line.lstrip(" ")
        depth = len(line) - len(body)
        if whole and (depth > within or not body):
            is_split = whole.endswith("\\")  # inside a word, which then stands in quotes
            whole = (
                whole[:-1] + body.removeprefix("\\") if is_split else f"{whole.rstrip(' ')} {body}"
            )
            continue
        if whole:
            yield whole
        entry = ITEMS.sub("", body)
        whole, within = line, inf  # nothing goes on with a key that stands alone
        if KEY.match(entry) or not entry.endswith(":"):
            column = depth + len(body) - len(entry)
            within = column if KEY.match(entry) else column - 2
    if whole:
        yield whole


def _dotted(above: list[tuple[int, str]]) -> str:
    return "".join(name if name[:1] == "[" else f".{name}" for _, name in above).lstrip(".")
