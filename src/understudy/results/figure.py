"""Plots as plain data for plotly.js; the page's script fills in the colours of light or dark."""

from html import escape
from typing import Any

from understudy.results.markup import Markup, element, json_block

Figure = dict[str, Any]
"""What plotly.js draws: `data` and `layout`."""

SHARE = {"tickformat": ".0%"}
QUIET = {
    "gridcolor": "var(--line)",
    "linecolor": "var(--line)",
    "zeroline": False,
    "ticks": "",
    "automargin": True,
}


def figure(traces: list[Figure], *, height: int, x: Figure, y: Figure, **layout: Any) -> Figure:
    """A figure in the page's manner.

    Args:
        traces: What is drawn.
        height: In pixels.
        x: Properties of the horizontal axis.
        y: Properties of the vertical axis.
        layout: Further properties of the layout.
    """
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 13}}
    return {
        "data": traces,
        "layout": {
            "height": height,
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": "var(--quiet)", "size": 13, "family": "var(--sans)"},
            "hoverlabel": {
                "bgcolor": "var(--surface)",
                "bordercolor": "var(--line)",
                "font": {"color": "var(--ink)"},
            },
            "showlegend": False,
            "legend": legend,
            "xaxis": {**QUIET, **x},
            "yaxis": {**QUIET, **y},
            **layout,
        },
    }


def titled(text: str) -> Figure:
    """An axis title."""
    return {"text": text, "font": {"size": 13}, "standoff": 10}


def plain(text: str, *, most: int = 60) -> str:
    """Text for labels of a plot, which plotly.js would else read as markup; long ones are cut."""
    return escape(text if len(text) <= most else f"{text[: most - 1]}…", quote=False)


def plotted(drawn: Figure, *, caption: str, note: str = "") -> Markup:
    """A figure's place in the page; the note says how to read it."""
    return element(
        "figure",
        element("figcaption", caption, element("small", note) if note else None),
        element(
            "div",
            class_="plot",
            style=f"min-height:{drawn['layout']['height']}px",
            role="img",
            aria_label=caption,
        ),
        json_block(drawn),
    )
