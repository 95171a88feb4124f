"""The two libraries that stand in the page: plotly.js for plots, DataTables for tables."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from plotly.offline import get_plotlyjs

from understudy.core.errors import MissingResourceError

BUNDLE = "html/dt_bundle.js"  # in itables: DataTables with its extensions, one ECMAScript module
EXPORTS = re.compile(r"export\s*\{([^}]*)\};?")
FACTORY = re.compile(
    r"(?P<head>typeof self *!== *\"undefined\" *\? *self *: *this, *)"
    r"(?P<factory>\(\) *=> *\{\s*\"use strict\";.*\})(?P<tail>\s*\)\s*\)\s*;?\s*)",
    re.DOTALL,
)
"""What plotly.js hands to the wrapper around it: one function that holds all of the library."""


@cache
def plotly() -> str:
    """plotly.js as the library ships it but for two parentheses; browsers hash it with line feeds.

    The parentheses stand around its one function. V8 takes a function in parentheses for one that
    is called at once, and reads it once; else it first skims 4.8 MB only to find their end.
    """
    script = str(get_plotlyjs()).replace("\r\n", "\n")
    found = FACTORY.search(script)
    if found is None or found.end() != len(script):
        return script  # wrapped otherwise: as good, a little slower
    return f"{script[: found.start()]}{found['head']}({found['factory']}){found['tail']}"


@cache
def datatables() -> str:
    """DataTables as the wheel `itables` ships it, made a script that defines `DataTable`.

    Raises:
        MissingResourceError: itables is not installed, or keeps its bundle elsewhere.
    """
    spec = find_spec("itables")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    places = [place for folder in folders if (place := Path(folder) / BUNDLE).is_file()]
    text = places[0].read_text(encoding="utf-8") if places else ""
    found = EXPORTS.search(text)
    names = dict(re.findall(r"([\w$]+) as ([\w$]+)", found[1])) if found else {}
    ours = next((local for local, told in names.items() if told == "default"), None)
    if found is None or ours is None:
        raise MissingResourceError(
            "The report's tables need the package itables, version 2.4 to 2.x, which is "
            f"{'not installed' if spec is None else 'here in a form that is not known'}. "
            "Install it: pip install 'itables>=2.4,<3'"
        )
    body = f"{text[: found.start()]}globalThis.DataTable={ours};{text[found.end() :]}"
    # A module is strict and keeps its names to itself; neither text below may end a script block.
    return f'(()=>{{"use strict";{_unended(body)}}})();'.replace("\r\n", "\n")


def _unended(script: str) -> str:
    return re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE).replace("<!--", "<\\!--")
