"""What a check of images found, on a terminal: 80 columns are enough."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from understudy.results.formats import exact, listed, plural
from understudy.results.plain import lines_for, plain_for
from understudy.results.values import listing, mapping, number, text, texts, whole

MOST_CLASSES = 20  # told one by one; above, the largest and the smallest
MOST_MEMBERS = 5
MOST_KINDS = 8  # of files, modes and what is passed over
STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
SPLITS = ("train", "val", "test")


def show_check(found: Mapping[str, Any], *, title: str, console: Console) -> None:
    """Prints counts, files and findings.

    Args:
        found: As `data/check.json` holds it.
        title: The images, as they were asked for.
        console: Where.
    """

    def say(line: str, *, style: str = "", indent: int = 0) -> None:
        for part in lines_for(line, console, indent=indent):
            console.print(Text(part, style=style), soft_wrap=True)

    say(f"{title}: {heading(found)}", style="bold")
    if listing(found.get("classes")):
        console.print()
        console.print(_classes(found, console))
        if carved := carved_of(found):
            say(carved, style="dim")
    for scheme in schemes_of(found):
        console.print()
        say(scheme.heading, style="bold")
        console.print(_shares(scheme, console))
    console.print()
    for line in of_files(found):
        say(line)
    for one in map(mapping, listing(found.get("findings"))):
        console.print()
        severity = text(one.get("severity"))
        say(f"{severity}: {text(one.get('sentence'))}", style=STYLES.get(severity, ""))
        for line in members_of(one, most=MOST_MEMBERS):
            say(line, indent=2)
    console.print()
    say(verdict(found), style="bold")


def heading(found: Mapping[str, Any]) -> str:
    """`3,000 images, 5 classes`."""
    images = whole(found.get("images")) or 0
    classes = len(listing(found.get("classes")))
    return f"{plural(images, 'image')}, {classes} class{'' if classes == 1 else 'es'}"


def members_of(finding: Mapping[str, Any], *, most: int) -> list[str]:
    """The first members of a finding whose sentence introduces them, and how many more."""
    if not text(finding.get("sentence")).endswith(":"):
        return []
    shown = list(texts(finding.get("members"))[:most])
    more = (whole(finding.get("total")) or 0) - len(shown)
    return [*shown, *([f"... and {exact(more)} more"] if more > 0 else [])]


def carved_of(found: Mapping[str, Any]) -> str:
    """Which splits the data came without; "" where it came with all."""
    given = listing(found.get("given"))
    carved = [
        title for name, title in (("val", "validation"), ("test", "test")) if name not in given
    ]
    if not carved:
        return ""
    told = f"{listed(carved)} drawn from the others, as a training would"
    return told[:1].upper() + told[1:]


def of_files(found: Mapping[str, Any]) -> list[str]:
    """What the files are, line by line."""
    sizes = mapping(found.get("sizes"))
    smallest, largest = listing(sizes.get("smallest")), listing(sizes.get("largest"))
    lines = [
        f"Files: {_counted(found.get('formats'))}" if found.get("formats") else "",
        f"Bands: {', '.join(texts(found.get('bands')))}" if found.get("bands") else "",
        f"Modes: {_counted(found.get('modes'))}" if found.get("modes") else "",
    ]
    if smallest and largest:
        one = "x".join(map(str, smallest))
        many = f"{sizes.get('different')} sizes, {one} to {'x'.join(map(str, largest))}"
        lines.append(f"Pixels: {one if smallest == largest else many}")
    turned = {key: n for key, n in mapping(found.get("orientations")).items() if key != "1"}
    if turned:
        lines.append(f"Turned upright by their EXIF tag: {exact(sum(turned.values()))}")
    if ignored := mapping(found.get("ignored")):
        told = [f"{exact(n)} x {reason}" for reason, n in _most(ignored)]
        lines.append(f"Passed over: {'; '.join([*told, *_further(ignored)])}")
    return [line for line in lines if line]


def verdict(found: Mapping[str, Any]) -> str:
    """Whether a training may start, in a line."""
    severities = [text(mapping(one).get("severity")) for one in listing(found.get("findings"))]
    errors, warnings = severities.count("error"), severities.count("warning")
    beside = f", with {plural(warnings, 'warning')}" if warnings else ""
    if errors:
        return f"Not usable: {plural(errors, 'error')}{beside}."
    return f"Usable{beside}."


def rows_of_classes(found: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Counts by class, of many the largest and the smallest; and how many are not shown."""
    classes = [mapping(one) for one in listing(found.get("classes"))]
    if len(classes) <= MOST_CLASSES:
        return classes, 0
    ranked = sorted(classes, key=lambda one: -(whole(one.get("train")) or 0))
    half = MOST_CLASSES // 2
    return [*ranked[:half], *ranked[-half:]], len(classes) - 2 * half


def unreadable_of(found: Mapping[str, Any]) -> int:
    """The unreadable images of all classes, of those that are not shown too."""
    classes = map(mapping, listing(found.get("classes")))
    return sum(whole(one.get("unreadable")) or 0 for one in classes)


def _classes(found: Mapping[str, Any], console: Console) -> Table:
    rows, hidden = rows_of_classes(found)
    totals, bad = mapping(found.get("splits")), unreadable_of(found)
    columns = (*SPLITS, "unreadable") if bad else SPLITS
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("class", overflow="fold")
    for title in columns:
        table.add_column(title, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        if hidden and place == len(rows) // 2:
            table.add_row(Text(f"({hidden} classes between)", style="dim"))
        name = Text(plain_for(text(row.get("class")), console))
        table.add_row(name, *(exact(whole(row.get(column))) for column in columns))
    sums = [*(whole(totals.get(split)) for split in SPLITS), *([bad] if bad else [])]
    table.add_row(Text("all", style="bold"), *map(exact, sums))
    if unlabeled := whole(totals.get("unlabeled")):
        table.add_row(Text("without labels"), exact(unlabeled))
    return table


class Scheme(NamedTuple):
    """How many labels each share of a scheme's labels is."""

    heading: str
    shares: list[str]
    """Written: `1 %`."""
    rows: list[tuple[str, str, list[int]]]
    """Class, split, and its labels at each share."""


def schemes_of(found: Mapping[str, Any]) -> Iterator[Scheme]:
    """The schemes that a check tells of."""
    for told in map(mapping, listing(found.get("schemes"))):
        shares = [f"{100 * (number(share) or 0):.3g} %" for share in listing(told.get("shares"))]
        rows = []
        for own in map(mapping, listing(told.get("classes"))):
            for split in SPLITS:
                counts = listing(own[split]) if split != "test" else [own[split]] * len(shares)
                rows.append((text(own.get("class")), split, [whole(one) or 0 for one in counts]))
        pool = exact(whole(told.get("pool")))
        heading = f"scheme {text(told.get('scheme'))}: labels by share, and a pool of {pool} images"
        yield Scheme(heading, shares, rows)


def _shares(scheme: Scheme, console: Console) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("class", overflow="fold")
    table.add_column("split", no_wrap=True)
    for share in scheme.shares:
        table.add_column(share, justify="right", no_wrap=True)
    for name, split, counts in scheme.rows:
        shown = Text(plain_for(name, console) if split == SPLITS[0] else "")
        table.add_row(shown, split, *map(exact, counts))
    return table


def _counted(counts: object) -> str:
    kinds = mapping(counts)
    told = [f"{exact(n)} {what}" for what, n in _most(kinds)]
    return ", ".join([*told, *_further(kinds)])


def _most(counts: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    return sorted(counts.items(), key=lambda item: -(whole(item[1]) or 0))[:MOST_KINDS]


def _further(counts: Mapping[str, Any]) -> list[str]:
    """How many kinds `_most` leaves out."""
    more = len(counts) - MOST_KINDS
    return [f"and {plural(more, 'further kind')}"] if more > 0 else []
