"""One self-contained page about a study: works from file://, asks the network for nothing."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template

from understudy.core.files import make_folder, write_text
from understudy.results.browser.of_runs import sheet_of
from understudy.results.browser.section import browser, summary
from understudy.results.browser.sheet import Sheet, worth_browsing
from understudy.results.class_section import classes
from understudy.results.colours import colours
from understudy.results.comparison import Comparison, comparison
from understudy.results.confidence_section import confidence
from understudy.results.data_section import data
from understudy.results.example_section import images
from understudy.results.findings import findings
from understudy.results.finetuned_section import finetuned
from understudy.results.frozen_section import frozen
from understudy.results.libraries import datatables, plotly
from understudy.results.markup import Markup, element, joined, safe
from understudy.results.model_section import models
from understudy.results.overview import header, headline, told
from understudy.results.published import beside as beside_published
from understudy.results.published_section import published
from understudy.results.quantised import quantised
from understudy.results.records import StudyRecord
from understudy.results.result_section import costs, results
from understudy.results.run_section import runs
from understudy.results.training_section import training
from understudy.results.tuning_section import tuning

SECTIONS = {
    "findings": "Findings",
    "results": "Results",
    "browser": "Browse",
    "frozen": "Frozen features",
    "finetuned": "Fine-tuned",
    "tuning": "Tuning",
    "published": "Published",
    "models": "Models",
    "training": "Training",
    "data": "Data",
    "classes": "Classes",
    "confidence": "Confidence",
    "images": "Images",
    "cost": "Cost",
    "runs": "Runs",
}

PAGED = 'document.documentElement.dataset.paged = "";'
"""Runs before the tables are read: rows that page.js will put on a second page, or on a later one,
need no place on the first (page.css). Without scripts, and in print, every row has its place."""


def write_report(record: StudyRecord, path: Path) -> None:
    """Writes a study's page.

    The page holds its style, its scripts and its data. Its content security policy allows the
    five scripts that stand in it, by their hashes, and no request to anywhere. The scripts are
    5.4 MB; all that a study adds is kept below as much again (`MOST_...` beside each part).

    Args:
        record: What to show, as `find` or `read_study` gives it.
        path: The .html file; whole or not at all.

    Raises:
        StorageError: The disk refuses.
        MissingResourceError: The library that sorts and filters tables is not installed.
    """
    found = comparison(record)
    make_folder(path.parent)
    write_text(path, _with_libraries(record.title, _body(record, found, beside=path.parent)))


def _body(record: StudyRecord, found: Comparison, *, beside: Path) -> Markup:
    painted = colours((entry.node, entry.stage) for entry in record.entries)
    parts = {
        "findings": told(findings(record, found)),
        "results": results(found, painted),
        "browser": browser(worth_browsing(sheet_of(record, found, beside=beside))),
        "frozen": frozen(found, painted),
        "finetuned": finetuned(found, painted),
        "tuning": tuning(record.tuned),
        "published": published(beside_published(record, found)),
        "models": models(record, found.rows, beside=beside),
        "training": training(record, painted),
        "data": data(record),
        "classes": classes(record, found),
        "confidence": confidence(record, found, painted),
        "images": images(record, found),
        "cost": costs(found, painted, list(quantised(record))),
        "runs": runs(record, found.rows, beside=beside, colours=painted),
    }
    links = [
        element("a", title, href=f"#{name}") for name, title in SECTIONS.items() if parts[name]
    ]
    return joined(
        [
            header(record),
            element("nav", *links, aria_label="Sections"),
            headline(found),
            *parts.values(),
        ]
    )


def write_browser(sheet: Sheet, title: str, path: Path) -> None:
    """Writes a page in which rows are looked through, whoever wrote them; under the same policy.

    Raises:
        StorageError: The disk refuses.
        MissingResourceError: The library that sorts and filters tables is not installed.
    """
    make_folder(path.parent)
    head = element("header", element("h1", title), element("p", summary(sheet), class_="quiet"))
    write_text(path, _with_libraries(title, joined([head, browser(sheet)])))


def write_page(title: str, body: Sequence[Markup], path: Path) -> None:
    """Writes a page without plots, in the style and under the policy of the report.

    Raises:
        StorageError: The disk refuses.
    """
    make_folder(path.parent)
    write_text(path, _filled(title, joined(body), {}))


def _with_libraries(title: str, body: Markup) -> str:
    libraries = {"plotly": plotly(), "datatables": datatables()}
    return _filled(title, body, {"paged": PAGED, **libraries, "browser": _asset("browser.js")})


def _filled(title: str, body: Markup, others: Mapping[str, str]) -> str:
    """The page; a script that it does not need is an empty one, under the same policy."""
    needless = dict.fromkeys(("paged", "plotly", "datatables"), "")
    scripts = {**needless, "script": _asset("page.js"), "browser": "", **others}
    return Template(_asset("page.html")).substitute(
        title=safe(title),
        policy=" ".join(map(_hash, scripts.values())),
        style=_asset("page.css"),
        body=body,
        **scripts,
    )


def _asset(name: str) -> str:
    return files("understudy.results").joinpath("page", name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """How a policy names an inline script."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
