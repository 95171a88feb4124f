"""HTML as values: what is not markup already is escaped, so that none can forget to."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | Markup | None


def safe(child: Child) -> str:
    """The child as HTML; None is nothing."""
    if child is None:
        return ""
    return child if isinstance(child, Markup) else escape(child)


def element(tag: str, *children: Child, **attributes: str | int | None) -> Markup:
    """`<tag attribute="...">children</tag>`.

    Args:
        tag: Its name.
        children: Text, which is escaped, or markup.
        attributes: `class_` stands for class, `data_x` for data-x; None leaves one out.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{written}>{''.join(safe(child) for child in children)}</{tag}>")


def joined(children: Iterable[Child]) -> Markup:
    """Children one after another."""
    return Markup("".join(safe(child) for child in children))


def section(name: str, title: str, *children: Child) -> Markup:
    """A section of the page under its heading."""
    return element("section", element("h2", title), *children, id=name)


def json_block(content: Any) -> Markup:
    """JSON for a page's script, with no character that could end the block."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json">{text}</script>')
