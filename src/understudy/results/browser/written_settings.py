"""The settings of a run by dotted key, from its config.yaml as this program writes it."""

import re
from collections.abc import Iterator, Mapping

ITEM = re.compile(r"- ")


def flat(config: str) -> Mapping[str, str]:
    """Every value by its key, `terms[0].kind`; of a file that we wrote, and so in block style.

    Parsing hundreds of files as YAML would take longer than all the rest of a page.
    """
    lines = config.splitlines()
    start = lines.index("settings:") + 1 if "settings:" in lines else len(lines)
    return dict(_values(lines[start:]))


def _values(lines: list[str]) -> Iterator[tuple[str, str]]:
    above: list[tuple[int, str]] = []  # indentation and name of what the line lies in
    counts: dict[tuple[str, ...], int] = {}
    for line in lines:
        body = line.lstrip()
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
        key, colon, value = body.partition(": ")
        if colon or body.endswith(":"):
            above.append((depth, key.removesuffix(":")))
        if colon or not body.endswith(":"):
            yield _dotted(above), (value if colon else body).strip()


def _dotted(above: list[tuple[int, str]]) -> str:
    return "".join(name if name[0] == "[" else f".{name}" for _, name in above).lstrip(".")
