"""Hundreds of rows in a browser: each control is used, what it shows is computed again here."""

import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.browser.chromium import Chromium
from tests.browser.conftest import HOSTILE
from tests.browser.test_report_page import is_silent
from tests.unit.results.browser.rows_of_others import figures, published, write
from tests.unit.results.browser.test_of_files import read
from tests.unit.results.conftest import Tree
from tests.unit.results.test_report import Page

from understudy.results.browser.measures import level
from understudy.results.browser.observed import answers, questions, splits
from understudy.results.browser.section import cells_of
from understudy.results.browser.sheet import Sheet
from understudy.results.find import find
from understudy.results.report import write_browser, write_report

STATUS = "document.querySelector('#browser [role=status]').innerText"
PLOT = "document.querySelector('#browser figure.live .plot')"
TABLES = (
    "[...document.querySelectorAll('{where} table')].map((table) =>"
    " [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent)))"
)
ROWS = "[...document.querySelector('#browser .scroll table').tBodies[0].rows]"


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Sheet:
    return read(*published(tmp_path_factory.mktemp("files")))


@pytest.fixture(scope="module")
def page(sheet: Sheet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "rows.html"
    write_browser(sheet, title="Rows of others", path=path)
    return path


def opened(
    tab: Chromium, page: Path, *, width: int = 1100, dark: bool = False, at: str = ""
) -> Chromium:
    tab.open(page, width=width, dark=dark, at=at)
    tab.wait_for("document.querySelector('#browser[data-live] figure.live .main-svg') !== null")
    return tab


def tick(tab: Chromium, axis: str, value: str) -> None:
    place = tab(
        "[...document.querySelectorAll('.view input[type=checkbox]')].findIndex((one) =>"
        f" one.closest('[data-axis={axis}]') && one.value === '{value}')"
    )
    tab.click(".view input[type=checkbox]", at=place)


def choose(tab: Chromium, name: str, value: str) -> None:
    tab(
        f"(() => {{ const one = document.querySelector('.view [name={name}]');"
        f" one.value = '{value}';"
        " one.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def tables(tab: Chromium, where: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = tab(TABLES.format(where=where))
    return found


def cut(tab: Chromium) -> list[str]:
    """Texts of the plot that reach beyond it."""
    found: list[str] = tab(
        f"(() => {{ const all = {PLOT}.getBoundingClientRect();"
        f" return [...{PLOT}.querySelectorAll('.main-svg text')].filter((one) => {{"
        " const box = one.getBoundingClientRect();"
        " return box.width && (box.left < all.left - 1 || box.right > all.right + 1 ||"
        "   box.top < all.top - 1 || box.bottom > all.bottom + 1);"
        " }).map((one) => one.textContent); })()"
    )
    return found


def expected(sheet: Sheet, metric: str, among: Sequence[int], **view: str) -> list[list[list[str]]]:
    """What Python says of the same rows."""
    measure = next(one for one in sheet.measures if one.name == metric)
    found = []
    for question in questions(sheet):
        by = splits(sheet, question, **view)
        told = answers(sheet, question, metric, by=by, among=among)
        if told:
            found.append([cells_of(one, measure, by) for one in told])
    return found


def drawn(tab: Chromium) -> list[dict[str, Any]]:
    """The traces with what a reader sees of them."""
    told: list[dict[str, Any]] = tab(
        f"{PLOT}.data.map((one) => ({{name: one.name ?? '', x: [...one.x], y: [...one.y],"
        " dash: one.line?.dash ?? '', bars: [...(one.error_y?.array ?? [])]}))"
    )
    return told


def test_the_script_says_what_the_page_said_without_it(tab: Chromium, page: Path) -> None:
    *still, _ = Page(page.read_text()).tables

    opened(tab, page)

    is_silent(tab)
    assert tables(tab, "#browser .answers") == still
    assert tab(STATUS) == "72 of 96 rows shown."
    assert tab("document.querySelector('.view').hidden") is False


def test_each_mean_of_the_plot_is_that_of_its_rows(tab: Chromium, page: Path, sheet: Sheet) -> None:
    opened(tab, page)
    along = ("1", "10", "50", "100")

    traces = [one for one in drawn(tab) if one["bars"]]

    assert [one["name"] for one in traces] == ["far", "near_adam", "near_sgd"] * 2
    for one, scheme in zip(traces, ["any"] * 3 + ["one"] * 3, strict=True):
        for place, percent in enumerate(along):
            axes = {"model": one["name"], "labeling": scheme, "split_percent": percent}
            axes["role"] = "student"
            own = [run.figures["f1"] for run in sheet.runs if axes.items() <= run.axes.items()]
            assert len(own) == 3
            assert one["y"][place] == pytest.approx(100 * fmean(own))
            assert one["bars"][place] == pytest.approx(100 * stdev(own))
            assert round(one["x"][place]) == place
    (listed,) = tables(tab, "#browser .averages")
    assert listed[0] == [
        *("labeling", "model", "split_percent", "mean %", "± sd", "lowest", "highest", "rows"),
        "their teachers",
    ]
    assert len(listed) == 1 + 24
    assert [line[3] for line in listed[1:5]] == [f"{value:.2f}" for value in traces[0]["y"]]


def test_filters_change_plot_table_answers_and_count_together(
    tab: Chromium, page: Path, sheet: Sheet
) -> None:
    opened(tab, page)

    tick(tab, "arch", "net101")
    tick(tab, "model", "near_adam")
    tick(tab, "model", "near_sgd")

    shown = [
        place
        for place in sheet.chosen()
        if sheet.runs[place].axes["arch"] == "net101" and sheet.runs[place].axes["model"] != "far"
    ]
    assert tab(STATUS) == "16 of 96 rows shown."
    assert len(tab(f"{ROWS}.map((row) => row.innerText)")) == 16
    assert {one["name"] for one in drawn(tab)} - {"", "their teachers"} == {"near_adam", "near_sgd"}
    view = {"along": "split_percent", "panels": "labeling", "group": "model"}
    assert [one[1:] for one in tables(tab, "#browser .answers")] == expected(
        sheet, "f1", shown, **view
    )
    assert "model 2 of 3" in tab("document.querySelector('[data-axis=model] legend').innerText")


def test_figure_axis_colours_and_plots_are_chosen(tab: Chromium, page: Path, sheet: Sheet) -> None:
    opened(tab, page)

    choose(tab, "figure", "auc")
    choose(tab, "along", "arch")
    choose(tab, "group", "labeling")
    choose(tab, "panels", "")
    choose(tab, "spread", "range")

    means = [one for one in drawn(tab) if one["bars"]]
    assert [one["name"] for one in means] == ["any", "one"]
    for one in means:
        for place, network in enumerate(("net9", "net50", "net101")):
            own = [
                100 * run.figures["auc"]
                for run in sheet.runs
                if run.axes.get("arch") == network and run.axes["labeling"] == one["name"]
            ]
            assert one["y"][place] == pytest.approx(fmean(own))
            assert one["bars"][place] == pytest.approx(max(own) - fmean(own))
    assert tab(f"{PLOT}.ariaLabel").startswith("AUC along arch, by labeling; the averages")
    view = {"along": "arch", "panels": "", "group": "labeling"}
    told = [one[1:] for one in tables(tab, "#browser .answers")]
    assert told == expected(sheet, "auc", sheet.chosen(), **view)


def test_means_along_names_are_bars_from_nothing_and_along_numbers_lines(
    tab: Chromium, page: Path
) -> None:
    kinds = f"[...new Set({PLOT}.data.filter((one) => one.error_y).map((one) => one.type))]"
    opened(tab, page)
    assert tab(kinds) == ["scatter"]  # along split_percent

    choose(tab, "along", "arch")
    assert tab(kinds) == ["bar"]
    assert tab(f"{PLOT}.layout.yaxis.rangemode") == "tozero"
    assert tab(f"{PLOT}.querySelectorAll('.bartext').length") == 0, "What the pointer is told."
    lowest = f"{PLOT}._fullLayout.yaxis.range[0]"
    assert tab(lowest) == 0
    ends = f"{PLOT}.data.filter((one) => one.error_y).map((one) => [one.x[0], one.width])"
    spots = sorted(tab(ends)[:3])
    assert all(two[0] - one[0] >= one[1] for one, two in pairwise(spots))

    choose(tab, "shape", "points")
    assert tab(kinds) == ["scatter"]
    assert "shape=points" in tab("location.hash")
    choose(tab, "along", "split_percent")
    choose(tab, "shape", "bars")
    assert tab(kinds) == ["bar"]


def test_costs_are_averaged_at_each_value_or_drawn_row_by_row(
    tab: Chromium, tmp_path: Path
) -> None:
    """Parameters come again with each network; no two runs are equally fast."""
    rows = [
        {
            "net": f"n{at % 4}",
            "seed": at // 4,
            "f1": 0.5 + at / 100,
            "parameters": 10 ** (at % 4 + 3),
            "latency_ms": 1 + at / 7,
        }
        for at in range(32)
    ]
    write_browser(read(write(tmp_path / "cost.csv", rows)), title="Cost", path=tmp_path / "p.html")
    opened(tab, tmp_path / "p.html")

    choose(tab, "along", "parameters")
    means = [one for one in drawn(tab) if one["bars"]]
    assert sorted(x for one in means for x in one["x"]) == [1e3, 1e4, 1e5, 1e6]
    choose(tab, "figure", "parameters")
    assert cut(tab) == [], "There is room for a million, too."
    choose(tab, "figure", "f1")
    choose(tab, "along", "latency_ms")
    assert not [one for one in drawn(tab) if one["bars"]]
    assert sorted(x for one in drawn(tab) for x in one["x"]) == pytest.approx(
        [1 + at / 7 for at in range(32)], abs=1e-6
    )


def test_teachers_and_single_rows_are_drawn_where_they_are_asked_for(
    tab: Chromium, page: Path
) -> None:
    opened(tab, page)

    def dashed() -> list[dict[str, Any]]:
        return [one for one in drawn(tab) if one["dash"] == "dash" and one["x"] != [None]]

    assert len(dashed()) == 6
    dots = sum(len(one["x"]) for one in drawn(tab) if not one["dash"] and not one["bars"])
    assert dots == 72

    tab.click(".view [value=teacher][name=overlay]")
    assert dashed() == []
    assert "their teachers" not in tab(f"{PLOT}.innerText")
    tab.click(".view [value=runs]")
    assert not [one for one in drawn(tab) if not one["dash"] and not one["bars"]]


def test_a_link_restores_the_view(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    tick(tab, "arch", "net101")
    choose(tab, "figure", "auc")
    tab.click(".view [value=teacher][name=overlay]")
    tab.click("#browser .scroll th", at=5)
    tab.click("#browser input[type=search]")
    tab.type("near")
    tab.wait_for("location.hash.includes('order') && location.hash.includes('words')")
    tab.click("#browser .pick", at=2)
    tab.click("#browser .pick", at=4)
    address: str = tab("location.hash")
    seen = (tab(STATUS), tables(tab, "#browser .answers"), tables(tab, "#looked"), drawn(tab))
    order = tab(f"{ROWS}.map((row) => row.innerText)")
    asked = parse_qs(address.partition("?")[2], keep_blank_values=True)
    assert {key: asked[key] for key in ("figure", "is.arch", "overlay", "words")} == {
        "words": ["near"],
        "figure": ["auc"],
        "is.arch": ["net101"],
        "overlay": ["runs"],
    }
    assert len(asked["row"]) == 2

    opened(tab, page, at=address)

    is_silent(tab)
    again = (tables(tab, "#browser .answers"), tables(tab, "#looked"), drawn(tab))
    assert again == seen[1:]
    assert tab(STATUS) == "24 of 96 rows shown."
    assert tab(f"{ROWS}.map((row) => row.innerText)") == order
    assert tab("location.hash") == address

    tab.click("[data-do=reset]")
    assert tab(STATUS) == "72 of 96 rows shown."
    assert tab("document.querySelector('#looked').childElementCount") == 0
    assert tab("location.hash") == "#browser"


def test_a_link_that_names_what_is_not_here_says_so(tab: Chromium, page: Path) -> None:
    opened(tab, page, at="#browser?is.arch=huge&figure=bleu&row=none:1&is.colour=red&order=%7B")

    assert tab(STATUS).startswith("72 of 96 rows shown. The link also names what is not here: ")
    for word in ("arch = huge", "figure = bleu", "none:1", "is.colour", "order"):
        assert word in tab(STATUS)


def test_the_link_is_shown_where_it_cannot_be_copied(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    choose(tab, "figure", "auc")
    tab("Object.defineProperty(navigator, 'clipboard', {value: undefined}) && null")

    tab.click("[data-do=link]")

    tab.wait_for("document.activeElement.className === 'address'")
    assert tab("document.activeElement.value") == tab("location.href")
    assert "#browser?figure=auc" in tab("document.activeElement.value")


def test_rows_shown_are_saved_as_csv(
    tab: Chromium, page: Path, sheet: Sheet, tmp_path: Path
) -> None:
    opened(tab, page)
    tab.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tick(tab, "arch", "net101")
    tab.click("#browser input[type=search]")
    tab.type("any")
    tab.wait_for(f"{ROWS}.length === 12")

    tab.click("[data-do=csv]")

    tab.wait_for(f"{STATUS}.includes('saved')")
    saved = tmp_path / "rows.csv"
    for _ in range(100):
        if saved.exists() and saved.stat().st_size:
            break
        tab.wait_for("new Promise((done) => setTimeout(() => done(true), 50))")
    with saved.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    wanted = {"arch": "net101", "labeling": "any"}
    own = {run.name: run for run in sheet.runs if wanted.items() <= run.axes.items()}
    assert {row["row"] for row in rows} == set(own)
    for row in rows:
        run = own[row["row"]]
        assert {axis.name: row[axis.name] for axis in sheet.axes}.items() <= run.axes.items()
        assert {name: float(row[name]) for name in run.figures} == pytest.approx(dict(run.figures))
        assert row["teacher"] == sheet.runs[run.teacher or 0].name
    is_silent(tab)


def test_two_rows_stand_side_by_side(tab: Chromium, page: Path, sheet: Sheet) -> None:
    opened(tab, page)

    tab.click("#browser .pick", at=0)
    assert "One row, closely" in tab("looked.innerText")
    assert "its teacher" in tab("looked.innerText")
    tab.click("#browser .pick", at=1)
    tab.click("#browser .pick", at=2)

    assert tab("[...document.querySelectorAll('.pick[aria-pressed=true]')].length") == 2
    shown, differ, *_ = tables(tab, "#looked")
    first, second = sheet.runs[1], sheet.runs[2]
    by_title = {line[0]: line[1:] for line in shown[1:]}
    f1 = next(one for one in sheet.measures if one.name == "f1")
    both = [first.figures["f1"], second.figures["f1"]]
    assert by_title["F1 %"][:2] == [level(f1, value) for value in both]
    gain = f"{100 * (both[0] - both[1]):+.2f}".replace("-", "−")
    assert by_title["F1 %"][2] == gain
    assert differ[1:] == [["arch", first.axes["arch"], second.axes["arch"]]]
    (left, right) = tables(tab, "#looked")[-2:]
    for table, run in ((left, first), (right, second)):
        counts = [[int(cell.replace(",", "")) for cell in line[1:]] for line in table[1:]]
        assert run.confusion is not None
        assert counts == run.confusion[1]


def test_a_dot_of_the_plot_opens_its_row(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    tab(f"{PLOT}.emit('plotly_click', {{points: [{{customdata: 7}}]}}) && null")

    assert "students:8" in tab("looked.innerText")


def test_everything_answers_to_the_keyboard(tab: Chromium, page: Path) -> None:
    opened(tab, page)

    tab("document.querySelector('[name=figure]').focus()")
    tab.press("ArrowDown")
    tab.wait_for(f"{PLOT}.ariaLabel.startsWith('f0.5')")
    tab("document.querySelector('[data-axis=arch] input').focus()")
    tab.press(" ", text=" ")
    tab.wait_for(f"{STATUS} === '24 of 96 rows shown.'")
    tab("document.querySelector('.pick').focus()")
    tab.press("Enter", text="\r")
    tab.wait_for("looked.innerText.includes('One row, closely')")

    unnamed = tab(
        "[...document.querySelectorAll('#browser :is(select, input, button)')].filter((one) =>"
        " !(one.labels?.length || one.ariaLabel || one.innerText || one.placeholder)).length"
    )
    assert unnamed == 0
    unreached = tab(
        "[...document.querySelectorAll('#browser :is(select, input, button, a)')].filter((one) =>"
        " one.offsetParent && one.tabIndex < 0 && !one.closest('.dt-paging')).length"
    )
    assert unreached == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1100, 400])
def test_it_fits_wide_and_narrow_pages(tab: Chromium, page: Path, width: int, dark: bool) -> None:
    opened(tab, page, width=width, dark=dark)
    tab.click("#browser .pick", at=0)
    tab.click("#browser .pick", at=1)
    tab("document.querySelectorAll('details').forEach((one) => (one.open = true))")

    assert tab("document.documentElement.scrollWidth") == width
    assert cut(tab) == []
    if width == 1100:
        wide = "[...document.querySelectorAll('#browser .answers .scrolled')]"
        assert tab(f"{wide}.every((one) => one.scrollWidth <= one.clientWidth)")
    before = tab(f"{PLOT}.layout.font.color")
    tab.prefer(dark=not dark)
    tab.wait_for(f"{PLOT}.layout.font.color !== '{before}'")
    is_silent(tab)


def test_what_has_no_value_of_an_axis_passes_it_and_no_pair_is_said(
    tab: Chromium, page: Path
) -> None:
    opened(tab, page)
    tab.click("[data-axis=role] input", at=0)
    tick(tab, "role", "teacher")
    tick(tab, "arch", "net101")

    assert tab(STATUS) == "24 of 96 rows shown.", "A row without a network passes its filter."
    assert "student − teacher" not in tab("document.querySelector('.answers').innerText")
    tick(tab, "model", "far")
    tick(tab, "split_percent", "1")
    assert "No pair of rows" in tab("document.querySelector('.answers').innerText")


def test_runs_of_a_study_are_looked_at_with_settings_and_curves(
    tab: Chromium, tmp_path: Path
) -> None:
    tree = Tree(tmp_path / "runs")
    for fraction in (1, 10, 50, 100):
        tree.train("baseline", 1, axes={"fraction": fraction})
        tree.evaluate(1, axes={"fraction": fraction}, top1={"baseline": 0.4})
        for method, top1 in (("kd", 0.5), ("dkd", 0.52 + fraction / 1000)):
            axes = {"fraction": fraction, "method": method}
            for node in ("teacher", "student"):
                tree.train(node, 1, axes=axes)
            tree.evaluate(1, axes=axes, top1={"teacher": 0.6, "student": top1})
    study = tree.study()
    write_report(find(study), study / "report.html")
    still = [
        table for table in Page((study / "report.html").read_text()).tables if "pairs" in table[0]
    ]
    opened(tab, study / "report.html")

    assert tab(STATUS) == "8 of 40 rows shown."
    assert tables(tab, "#browser .answers") == still
    baselines = next(table for table in still if table[1][-3:] == ["4", "8", "8"])
    assert len(baselines) > 2, "Two students of one baseline are one observation of it."
    tab.click("#browser .pick", at=0)
    tab.wait_for("looked.querySelectorAll('.main-svg').length > 0")
    tab.click("#browser .pick", at=1)

    heads = "[...looked.querySelectorAll('figcaption')].map((one) => one.innerText)"
    assert tab(heads) == ["Validation accuracy", "Training loss"]
    curves = "looked.querySelector('.plot').data.map((one) => one.name)"
    assert tab(curves) == ["first", "second"]
    (_, differ, alike, *confusions) = tables(tab, "#looked")
    assert {line[0] for line in differ[1:]} >= {"method"}
    assert ["stage", "distill"] in alike
    assert len(confusions) == 2
    links = tab("[...looked.querySelectorAll('a')].map((one) => one.getAttribute('href'))")
    assert all((study / link / "summary.json").is_file() for link in links)
    assert len(links) == 2
    is_silent(tab)


def test_no_name_of_others_becomes_a_program(tab: Chromium, tmp_path: Path) -> None:
    rows = [
        {HOSTILE: f"{HOSTILE}{at % 3}", "other": "=1+1" if at % 2 else "</script>", **figures(0.7)}
        for at in range(12)
    ]
    path = write(
        tmp_path / "hostile.csv", [{**row, "f1": 0.5 + at / 100} for at, row in enumerate(rows)]
    )
    write_browser(read(path), title=HOSTILE, path=tmp_path / "page.html")

    opened(tab, tmp_path / "page.html", width=400)
    tab.click("#browser .pick", at=0)
    choose(tab, "along", "other")
    for place in range(3):
        tab.click("#browser .scroll th", at=place)
    tab.wait_for("location.hash.includes('order')")
    opened(tab, tmp_path / "page.html", at=tab("location.hash"))

    is_silent(tab)
    assert tab("typeof hacked") == "undefined"
    assert tab("document.querySelectorAll('script:not([type])').length") == 5
    assert "<script>hacked=1</script>" in tab("looked.innerText")
