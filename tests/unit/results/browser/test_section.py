import json
from pathlib import Path

import pytest
from tests.unit.results.browser.rows_of_others import published
from tests.unit.results.browser.test_of_files import read
from tests.unit.results.test_report import Page

from understudy.results.browser.measures import gain, level
from understudy.results.browser.section import browser
from understudy.results.browser.sheet import Measure

SHARE = Measure("f1", "F1", 100.0, 2, " %", " points")
COUNT = Measure("tp", "true positives", 1.0, 0, "", "")


@pytest.mark.parametrize(
    ("measure", "value", "as_level", "as_gain"),
    [
        (SHARE, 0.8434, "84.34", "+84.34"),
        (SHARE, -0.0016, "−0.16", "−0.16"),
        (SHARE, 0.00001, "0.00", "0.00"),
        (SHARE, -0.00001, "−0.00", "0.00"),
        (COUNT, 22_900_000.0, "22,900,000", "+22,900,000"),
        (SHARE, None, "–", "–"),
    ],
)
def test_figures_are_written_as_people_read_them(
    measure: Measure, value: float | None, as_level: str, as_gain: str
) -> None:
    assert level(measure, value) == as_level
    assert gain(measure, value) == as_gain


def test_without_a_script_the_tables_stand_whole(tmp_path: Path) -> None:
    page = Page(str(browser(read(*published(tmp_path)))))

    *told, rows = page.tables
    assert [len(table) for table in told] == [2 + 8, 2 + 8, 2 + 6]
    assert told[0][0] == [
        "labeling",
        "split_percent",
        "points",
        "95 % interval",
        "n",
        "pairs",
        "higher",
    ]
    assert len(rows) == 1 + 96
    assert any(tag == "form" and "hidden" in attributes for tag, attributes in page.tags)


def test_its_data_hold_every_row_and_only_pairs_that_are_there(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))

    page = Page(str(browser(sheet)))

    (text,) = (text for kind, text in page.scripts if kind == "application/json")
    told = json.loads(text)
    assert len(told["names"]) == len(set(told["names"])) == 96
    for axis, places in zip(told["axes"], told["places"], strict=True):
        values = [axis["values"][place] if place >= 0 else None for place in places]
        assert values == [run.axes.get(axis["name"]) for run in sheet.runs]
    for measure, figures in zip(told["measures"], told["figures"], strict=True):
        own = [run.figures.get(measure["name"]) for run in sheet.runs]
        assert figures == pytest.approx(own, rel=1e-8)
    assert told["quantiles"][:2] == pytest.approx([12.7062047, 4.30265273])
