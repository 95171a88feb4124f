"""The page's section of data: how many images of what, and what a look at them found."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from understudy.results.check_screen import (
    carved_of,
    heading,
    members_of,
    of_files,
    rows_of_classes,
    schemes_of,
    unreadable_of,
    verdict,
)
from understudy.results.formats import exact, plural
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.markup import Markup, element, joined, section
from understudy.results.records import StudyRecord
from understudy.results.values import listing, mapping, read_object, text, whole

MOST_SETS = 3  # sets of images in one page, as where a study compares data
MOST_MEMBERS = 20
MOST_PAIRS = 48  # shown as pictures: 200 kB
SPLITS = {"train": "Training", "val": "Validation", "test": "Test"}
PICTURE = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/=]{1,20000}")
"""What a picture's address may be: a run may come from anywhere."""


def data(record: StudyRecord) -> Markup | None:
    """What the check of each set of images found; None where no run holds one."""
    found = _checks(record)
    if not found:
        return None
    sets = [
        joined([element("h3", f"Images {number}"), data_of(one)])
        if len(found) > 1
        else data_of(one)
        for number, one in enumerate(found[:MOST_SETS], start=1)
    ]
    more = len(found) - MOST_SETS
    note = f"{plural(more, 'further set')} of images: see data/check.json in the runs."
    return section("data", "Data", *sets, element("p", note) if more > 0 else None)


def data_of(found: Mapping[str, Any]) -> Markup:
    """One set of images, as `data/check.json` tells of it."""
    return joined(
        [
            element("p", f"{heading(found)}. {verdict(found)}"),
            _classes(found),
            element("p", carved_of(found), class_="quiet note") if carved_of(found) else None,
            *_schemes(found),
            element("p", joined(_lines(of_files(found))), class_="quiet note"),
            *_findings(found),
            *_pairs(found),
        ]
    )


def _checks(record: StudyRecord) -> list[dict[str, Any]]:
    """The different checks that the runs hold, in their order."""
    different: dict[str, dict[str, Any]] = {}
    for entry in record.entries:
        found, _ = read_object(entry.run.path / "data" / "check.json")
        if found:
            different.setdefault(json.dumps(found, sort_keys=True), found)
    return list(different.values())


def _lines(lines: Sequence[str]) -> Iterator[Markup]:
    for line in lines:
        yield joined([line, Markup("<br>")])


def _classes(found: Mapping[str, Any]) -> Markup | None:
    rows, hidden = rows_of_classes(found)
    if not rows:
        return None
    bad = unreadable_of(found)
    columns = {**SPLITS, **({"unreadable": "Unreadable"} if bad else {})}
    records = [
        Record(
            [
                Datum(text(row.get("class"))),
                *(_count(whole(row.get(column))) for column in columns),
            ]
        )
        for row in rows
    ]
    totals = mapping(found.get("splits"))
    sums = [_count(whole(totals.get(column))) for column in SPLITS]
    if bad:
        sums.append(_count(bad))
    records.append(Record([Datum("All"), *sums], kind="student"))
    unlabeled = whole(totals.get("unlabeled"))
    notes = [
        f"{exact(unlabeled)} images without labels." if unlabeled else "",
        f"{hidden} classes of middling size are not listed." if hidden else "",
    ]
    return joined(
        [
            table(
                [Column("Class", numeric=False), *map(Column, columns.values())],
                records,
                title="Images by class and split",
            ),
            *(element("p", note, class_="quiet note") for note in notes if note),
        ]
    )


def _schemes(found: Mapping[str, Any]) -> Iterator[Markup]:
    """How many labels each share of a scheme's is."""
    for scheme in schemes_of(found):
        columns = [Column("Class", numeric=False), Column("Split", numeric=False)]
        records = [
            Record([Datum(name), Datum(SPLITS[split]), *map(_count, counts)])
            for name, split, counts in scheme.rows
        ]
        heading = scheme.heading[:1].upper() + scheme.heading[1:]
        yield element("h4", heading)
        yield table([*columns, *map(Column, scheme.shares)], records, title=heading)


def _count(number: int | None) -> Datum:
    return Datum(exact(number), value=number)


def _findings(found: Mapping[str, Any]) -> Iterator[Markup]:
    """Errors and warnings open, notes below them."""
    findings = [mapping(one) for one in listing(found.get("findings"))]
    grave = [one for one in findings if text(one.get("severity")) != "note"]
    notes = [one for one in findings if text(one.get("severity")) == "note"]
    if grave:
        yield element(
            "aside",
            element("h3", "Found"),
            element("ul", *(element("li", _told(one)) for one in grave)),
        )
    if notes:
        yield element("ul", *(element("li", _told(one)) for one in notes), class_="facts")


def _told(finding: Mapping[str, Any]) -> Markup:
    """The sentence; its members folded away."""
    members = members_of(finding, most=MOST_MEMBERS)
    sentence = text(finding.get("sentence"))
    if not members:
        return joined([sentence])
    return element(
        "details",
        element("summary", f"{sentence.removesuffix(':')}."),
        element("ul", *(element("li", element("code", member)) for member in members)),
    )


def _pairs(found: Mapping[str, Any]) -> Iterator[Markup]:
    """Pairs as pictures, those of one kind together."""
    kinds: dict[str, list[Markup]] = {}
    totals: dict[str, int] = {}
    for pair in map(mapping, listing(found.get("pairs"))[:MOST_PAIRS]):
        kind = text(pair.get("kind"))
        images = [mapping(one) for one in listing(pair.get("images"))]
        totals[kind] = whole(pair.get("of")) or 0
        kinds.setdefault(kind, []).append(element("div", *map(_image, images), class_="pair"))
    for kind, shown in kinds.items():
        more = (
            f" ({len(shown)} of {exact(totals[kind])} pairs)" if totals[kind] > len(shown) else ""
        )
        yield element("h3", f"{kind[:1].upper()}{kind[1:]}", element("small", more))
        yield element("div", *shown, class_="pairs")


def _image(image: Mapping[str, Any]) -> Markup:
    name, picture = text(image.get("name")), text(image.get("picture"))
    where = " · ".join(word for key in ("split", "class") if (word := text(image.get(key))))
    is_picture = PICTURE.fullmatch(picture) is not None
    return element(
        "div",
        element("img", src=picture, alt=name, title=name, width=64, height=64)
        if is_picture
        else element("span", "no picture", class_="quiet"),
        element("small", where or name, title=name),
    )
