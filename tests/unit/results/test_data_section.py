import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.unit.results.conftest import Tree

from understudy.results.check_page import write_check_page
from understudy.results.check_screen import MOST_CLASSES, show_check
from understudy.results.data_section import data, data_of
from understudy.results.find import find

PICTURE = "data:image/jpeg;base64,/9j/4AAQ"


def found(**changed: Any) -> dict[str, Any]:
    """What a check wrote."""
    return {
        "images": 120,
        "readable": 119,
        "given": ["train", "test"],
        "splits": {"train": 80, "val": 9, "test": 30, "unlabeled": 0},
        "classes": [
            {"class": "cat", "train": 40, "val": 5, "test": 15, "unreadable": 0},
            {"class": "<b>dog", "train": 40, "val": 4, "test": 15, "unreadable": 1},
        ],
        "formats": {"JPEG": 119},
        "modes": {"RGB": 100, "CMYK": 19},
        "orientations": {"1": 110, "6": 9},
        "sizes": {"different": 2, "smallest": [32, 20], "largest": [64, 48], "most_common": []},
        "ignored": {},
        "leaked": 0,
        "findings": [
            {
                "kind": "unreadable",
                "severity": "error",
                "sentence": "cannot read 1 labelled image (1 empty). Remove them:",
                "members": ["train/<b>dog/1.jpg: empty (0 bytes)"],
                "total": 1,
            },
            {"kind": "flat", "severity": "note", "sentence": "Two.", "members": [], "total": 2},
        ],
        "pairs": [
            {
                "kind": "near-identical",
                "of": 1208,
                "images": [
                    {"name": "a.jpg", "split": "train", "class": "cat", "picture": PICTURE},
                    {"name": "b.jpg", "split": "test", "class": "<b>dog", "picture": PICTURE},
                ],
            }
        ],
        **changed,
    }


def with_check(tree: Tree, *contents: dict[str, Any]) -> Path:
    for seed, content in enumerate(contents, start=1):
        entry = tree.train("baseline", seed)
        tree.write(f"{entry['run']}/data/check.json", content)
    return tree.study()


def test_a_study_shows_what_its_runs_found_once(tree: Tree) -> None:
    section = data(find(with_check(tree, found(), found(), found())))

    assert section is not None
    assert section.count(PICTURE) == 2
    assert "(1 of 1,208 pairs)" in section
    assert section.count("120 images, 2 classes. Not usable: 1 error.") == 1


def test_different_images_are_shown_apart(tree: Tree) -> None:
    section = data(find(with_check(tree, found(), found(images=7))))

    assert section is not None
    assert "<h3>Images 2</h3>" in section


def test_runs_without_a_check_have_no_section(run_main_job: Callable[..., Tree]) -> None:
    assert data(find(run_main_job().study())) is None


def test_names_are_escaped_and_pictures_are_nothing_else() -> None:
    bad = found()
    bad["pairs"][0]["images"][0]["picture"] = "https://example.org/track.png"
    bad["pairs"][0]["images"][1]["picture"] = 'data:image/svg+xml;base64,AAAA" onload="x'

    section = data_of(bad)

    assert "<b>dog" not in section
    assert "&lt;b&gt;dog" in section
    assert "example.org" not in section
    assert "onload" not in section
    assert section.count("no picture") == 2


@pytest.mark.parametrize("value", [None, [], {}, "text", 3, -1])
@pytest.mark.parametrize("key", list(found()))
def test_a_damaged_check_never_stops_a_report(key: str, value: Any) -> None:
    content = found(**{key: value})

    data_of(content)
    show_check(content, title="images", console=Console(file=io.StringIO(), width=80))


def test_the_page_asks_nobody_and_runs_no_foreign_script(tmp_path: Path) -> None:
    write_check_page(found(), title="<i>images", path=tmp_path / "page.html")

    page = (tmp_path / "page.html").read_text()
    assert "default-src 'none'" in page
    assert "<i>images" not in page
    assert len(page) < 40_000, "no plots, so no library for them"


@pytest.mark.parametrize("width", [40, 80])
def test_the_screen_keeps_its_width_and_shortens_many_classes(width: int) -> None:
    classes = [
        {"class": f"class {number}", "train": number, "val": 1, "test": 1, "unreadable": 0}
        for number in range(1000)
    ]
    stream = io.StringIO()

    show_check(found(classes=classes), title="i" * 100, console=Console(file=stream, width=width))

    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < 60
    assert f"({1000 - MOST_CLASSES} classes between)" in stream.getvalue()
    assert not [line for line in lines if line != line.rstrip() and "class" not in line]


def test_unreadable_images_of_a_class_that_is_not_shown_are_counted() -> None:
    classes = [
        {"class": f"class {number}", "train": number, "val": 1, "test": 1, "unreadable": 0}
        for number in range(100)
    ]
    classes[50]["unreadable"] = 3
    stream = io.StringIO()

    show_check(found(classes=classes), title="i", console=Console(file=stream, width=80))

    (sums,) = [line for line in stream.getvalue().splitlines() if line.startswith("all ")]
    assert sums.split() == ["all", "80", "9", "30", "3"]
    assert ">Unreadable</th>" in data_of(found(classes=classes))


def test_what_was_passed_over_is_counted_by_reason_and_nothing_is_left_unsaid() -> None:
    ignored = {f"file that is no image (.{letter})": 2 for letter in "abcdefghij"}
    stream = io.StringIO()

    show_check(found(ignored=ignored), title="i", console=Console(file=stream, width=80))

    shown = " ".join(stream.getvalue().split())
    assert "Passed over: 2 x file that is no image (.a); 2 x" in shown
    assert "; and 2 further kinds" in shown


def test_hostile_text_reaches_no_terminal() -> None:
    bad = found()
    bad["findings"][0]["members"] = ["\x1b[31mred\u202e\x07"]
    bad["classes"][0]["class"] = "\u202ecat"
    stream = io.StringIO()

    show_check(bad, title="\u202eimages", console=Console(file=stream, width=80))

    assert not {"\x1b", "\u202e", "\x07"} & set(stream.getvalue())
