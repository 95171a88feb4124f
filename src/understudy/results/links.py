"""Links from a page to what lies beside it, which hold in a copied tree too."""

import os
from pathlib import Path
from urllib.parse import quote

from understudy.results.markup import Child, Markup, element


def link(text: Child, to: Path, *, beside: Path, is_folder: bool = False) -> Markup:
    """A relative link.

    Args:
        text: What is shown.
        to: What it leads to, whether or not that is there.
        beside: The folder of the page.
        is_folder: Whether it is one.
    """
    relative = os.path.relpath(to, beside.resolve()).replace(os.sep, "/")
    return element("a", text, href=quote(relative) + "/" * is_folder)
