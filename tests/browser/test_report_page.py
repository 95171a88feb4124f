"""The report in a browser: it draws, asks for nothing, tells the truth, and answers to clicks."""

import csv
from pathlib import Path
from statistics import fmean, stdev

import pytest
from tests.browser.chromium import Chromium
from tests.unit.results.test_data_section import found

from understudy.results.check_page import write_check_page

DRAWN = (
    "[...document.querySelectorAll('figure')].length > 0 && "
    "[...document.querySelectorAll('figure .plot')].every((one) => one.querySelector('.main-svg'))"
)
MAIN = "document.querySelector('#results table')"
RUNS = "document.querySelector('#runs table')"
SHOWN = "[...{table}.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.innerText))"


def opened(tab: Chromium, page: Path, *, width: int = 1000, dark: bool = False) -> Chromium:
    tab.open(page, width=width, dark=dark)
    tab.wait_for(DRAWN)
    return tab


def rows(tab: Chromium, table: str) -> list[list[str]]:
    shown: list[list[str]] = tab(SHOWN.format(table=table))
    return shown


def head(tab: Chromium, title: str) -> int:
    """Place of a head of the main table among its shown heads."""
    heads: list[str] = tab(f"[...{MAIN}.tHead.rows[0].cells].map((cell) => cell.innerText.trim())")
    return heads.index(title)


def is_silent(tab: Chromium) -> None:
    outside = [one for one in tab.requests if not one.startswith("data:image/")]
    assert len(outside) == 1, "The page asks for itself and for nothing else."
    assert outside[0].startswith("file://")
    assert tab.complaints == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1000, 400])
def test_it_draws_without_a_complaint_a_request_or_a_sideways_scroll(
    tab: Chromium, page: Path, width: int, dark: bool
) -> None:
    opened(tab, page, width=width, dark=dark)

    is_silent(tab)
    assert tab("document.documentElement.scrollWidth") == width
    assert tab("document.querySelectorAll('.images img').length") == 48
    assert tab("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    paper = tab("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(20, 24, 27)") == dark
    if width == 1000:
        wide = "[...document.querySelectorAll('.dt-layout-table')]"
        assert tab(f"{wide}.every((one) => one.scrollWidth <= one.clientWidth)")


def test_its_figures_are_those_of_rows_csv(tab: Chromium, page: Path) -> None:
    with (page.parent / "rows.csv").open(newline="") as stream:
        listed = [row for row in csv.DictReader(stream) if row["name"] != "pretrain"]
    opened(tab, page)
    tab.click(".columns")

    heads = tab(f"[...{MAIN}.tHead.rows[0].cells].map((cell) => cell.innerText.trim())")
    lines = [dict(zip(heads, row, strict=True)) for row in rows(tab, MAIN)]

    assert len(lines) == 6
    for line in lines:
        place = (line["Model"].strip(), line["Checkpoint"])
        own = [row for row in listed if (row["name"], row["checkpoint"]) == place]
        assert len(own) == int(line["Seeds"]) == 3
        for title, column in (
            *[("Test %", "test_top1"), ("Validation %", "val_top1"), ("ECE %", "test_ece")],
            *[("Macro F1 %", "test_macro_f1"), ("Agreement %", "agreement")],
        ):
            values = [100 * float(row[column]) for row in own if row[column]]
            told = f"{fmean(values):.1f} ± {stdev(values):.1f}" if values else "–"
            assert line[title] == told
        assert line["Labels"] == own[0]["labels"]
        assert line["Steps"] == own[0]["steps"]


def test_the_columns_that_few_ask_for_come_and_go(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    few = len(rows(tab, MAIN)[0])

    tab.click(".columns")
    tab.wait_for(f"{MAIN}.tHead.rows[0].cells.length > {few}")
    all_of_them = len(rows(tab, MAIN)[0])
    tab.click(".columns")

    assert (few, all_of_them, len(rows(tab, MAIN)[0])) == (10, 13, 10)


def test_every_link_of_the_navigation_leads_to_its_section(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    names = tab("[...document.querySelectorAll('nav a')].map((one) => one.hash)")
    assert names == [
        *["#findings", "#results", "#models", "#training", "#classes", "#confidence"],
        *["#images", "#cost", "#runs"],
    ]

    for place, name in enumerate(names):
        tab.click("nav a", at=place)
        tab.wait_for(f"location.hash === '{name}'")
        box = f"document.querySelector('{name} h2').getBoundingClientRect()"
        tab.wait_for(f"{box}.top > -5 && {box}.bottom < innerHeight")


@pytest.mark.parametrize("width", [1000, 400])
def test_what_is_folded_away_opens(tab: Chromium, page: Path, width: int) -> None:
    opened(tab, page, width=width)
    folded = tab("document.querySelectorAll('main > section > details:not([open])').length")
    assert folded > 5

    for _ in range(folded):
        tab.click("main > section > details:not([open]) > summary")

    assert tab("document.querySelectorAll('main > section > details:not([open])').length") == 0
    assert tab("document.documentElement.scrollWidth") == width
    is_silent(tab)


def test_a_head_sorts_and_what_is_absent_stays_last(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    test, agreement = head(tab, "Test %"), head(tab, "Agreement %")

    def column(place: int) -> list[str]:
        return [row[place].split(" ")[0] for row in rows(tab, MAIN)]

    def sort(place: int, order: str) -> None:
        tab.click("#results th", at=place)
        tab.wait_for(f"{MAIN}.tHead.rows[0].cells[{place}].ariaSort === '{order}'")

    before = column(test)
    for order in ("descending", "ascending"):
        sort(test, order)
        assert column(test) == sorted(before, key=float, reverse=order == "descending")
    for order in ("descending", "ascending"):
        sort(agreement, order)
        assert column(agreement) == ["81.0", "81.0", "–", "–", "–", "–"]


def test_words_filter_a_table(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    assert len(rows(tab, RUNS)) == 18

    tab.click("#runs input[type=search]")
    tab.type("teacher 2")

    tab.wait_for(f"{RUNS}.tBodies[0].rows.length < 18")
    left = rows(tab, RUNS)
    assert left
    assert all("teacher" in " ".join(row) and "2" in " ".join(row) for row in left)


def test_the_legend_takes_a_curve_away_and_brings_it_back(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    plot = "document.querySelector('#training .plot')"
    hidden = f"{plot}.data.filter((one) => one.visible === 'legendonly').map((one) => one.name)"

    tab.click("#training .legendtoggle")
    tab.wait_for(f"{hidden}.length > 0")
    assert tab(hidden) == ["baseline"] * 4  # three seeds and their mean

    tab.wait_for("new Promise((done) => setTimeout(() => done(true), 500))")  # else a double click
    tab.click("#training .legendtoggle")
    tab.wait_for(f"{hidden}.length === 0")


def test_light_and_dark_change_under_an_open_page(tab: Chromium, page: Path) -> None:
    opened(tab, page)
    ink = "document.querySelector('#results .plot').layout.font.color"
    light = tab(ink)

    tab.prefer(dark=True)

    tab.wait_for(f"{ink} !== '{light}'")


def test_print_shows_all_of_it_on_the_width_of_the_paper(
    tab: Chromium, page: Path, tmp_path: Path
) -> None:
    opened(tab, page, dark=True)
    tab("Object.assign(globalThis, {shown: {}}) && null")
    tab(
        "addEventListener('beforeprint', () => { shown = {"
        " cut: [...document.querySelectorAll('figure')].filter((one) =>"
        "   one.querySelector('.main-svg').getBoundingClientRect().right >"
        "   one.getBoundingClientRect().right + 1).length,"
        " width: document.querySelector('main').getBoundingClientRect().width,"
        " folded: document.querySelectorAll('details:not([open], .settings)').length,"
        " paper: getComputedStyle(document.documentElement).getPropertyValue('--paper'),"
        "}; })"
    )

    tab.pdf(tmp_path / "report.pdf")

    shown = tab("shown")
    assert shown["cut"] == 0
    assert shown["width"] == pytest.approx(182 / 25.4 * 96, abs=1)  # A4 less its margins
    assert shown["folded"] == 0
    assert shown["paper"].strip() == "#fbfbf9"
    assert (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n") >= 4
    assert tab("document.querySelectorAll('#images details[open]').length") == 0


def test_180_models_can_be_looked_through(tab: Chromium, large_page: Path) -> None:
    opened(tab, large_page)

    is_silent(tab)
    assert len(rows(tab, MAIN)) == 25
    assert "of 120" in tab("document.querySelector('#results .dt-info').innerText")
    tab.click("#results .dt-paging-button.next")
    tab.wait_for("/^26/.test(document.querySelector('#results .dt-info').innerText)")
    assert "26 to 50 of 120" in tab("document.querySelector('#results .dt-info').innerText")
    tab.click("#results input[type=search]")
    tab.type("simkd student")
    tab.wait_for(f"[...{MAIN}.tBodies[0].rows].every((row) => /simkd/.test(row.innerText))")
    assert len(rows(tab, MAIN)) == 12
    tab.click("#runs input[type=search]")
    tab.type("failed")
    tab.wait_for(f"{RUNS}.tBodies[0].rows.length === 1")
    assert "failed Out of memory" in " ".join(rows(tab, RUNS)[0])


LAID_OUT = (
    "[...{table}.tBodies[0].rows].filter((row) => row.getClientRects().length)"
    ".map((row) => row.innerText)"
)


def test_the_first_page_of_a_long_table_is_what_stood_there_before(
    tab: Chromium, large_page: Path
) -> None:
    early = (
        f"addEventListener('DOMContentLoaded', () => {{ early = {LAID_OUT.format(table=RUNS)}; }})"
    )
    told = tab.call("Page.addScriptToEvaluateOnNewDocument", source=f"var early; {early}")
    try:
        opened(tab, large_page)
    finally:
        tab.call("Page.removeScriptToEvaluateOnNewDocument", **told)
    tab.wait_for("document.querySelector('#runs .dt-container') !== null")

    assert len(tab("early")) == 25
    assert tab(LAID_OUT.format(table=RUNS)) == tab("early")


def test_a_long_table_stands_whole_without_a_script_and_in_print(
    tab: Chromium, large_page: Path
) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(large_page, width=1000, dark=False)
        still = {table: tab(LAID_OUT.format(table=table)) for table in (MAIN, RUNS)}
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert [len(table) for table in still.values()] == [120, 271]

    opened(tab, large_page)
    tab("dispatchEvent(new Event('beforeprint'))")
    assert [len(tab(LAID_OUT.format(table=table))) for table in still] == [120, 271]
    tab("dispatchEvent(new Event('afterprint'))")
    assert [len(tab(LAID_OUT.format(table=table))) for table in still] == [25, 25]


@pytest.mark.parametrize("width", [1000, 400])
def test_no_name_becomes_a_program(tab: Chromium, hostile_page: Path, width: int) -> None:
    opened(tab, hostile_page, width=width)
    folded = tab("document.querySelectorAll('details:not([open])').length")
    for one in range(folded):
        tab(f"[...document.querySelectorAll('details')][{one}].open = true")
    for place in range(4):
        tab.click("#results th", at=place)

    is_silent(tab)
    assert tab("typeof hacked") == "undefined"
    assert tab("document.querySelectorAll('.images img').length") == 2
    assert tab("document.querySelectorAll('script:not([type])').length") == 5
    assert "<script>hacked=1</script>" in tab("document.body.innerText")
    assert tab("document.documentElement.scrollWidth") == width


def test_a_page_without_plots_runs_its_script_without_the_libraries(
    tab: Chromium, tmp_path: Path
) -> None:
    """Its policy names five scripts, of which four are empty."""
    write_check_page(found(), title="Images", path=tmp_path / "page.html")
    tab.open(tmp_path / "page.html", width=1000, dark=False)

    is_silent(tab)
    tab("dispatchEvent(new Event('beforeprint'))")
    assert tab("document.documentElement.dataset.print") == ""
    assert tab.complaints == []
