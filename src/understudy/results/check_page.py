"""A page about a set of images, before anything is trained on them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from understudy.results.data_section import data_of
from understudy.results.markup import element, section
from understudy.results.report import write_page


def write_check_page(found: Mapping[str, Any], *, title: str, path: Path) -> None:
    """Writes the report's section of data as a page of its own.

    Args:
        found: As `data/check.json` holds it.
        title: What the images are called.
        path: The .html file; whole or not at all.

    Raises:
        StorageError: The disk refuses.
    """
    body = [
        element("header", element("h1", title), element("p", "understudy check-data")),
        section("data", "Data", data_of(found)),
    ]
    write_page(title, body, path)
