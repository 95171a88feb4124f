from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from understudy.core.errors import MissingResourceError
from understudy.results import libraries


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a text in the place of the wheel's bundle."""

    def put(text: str | None) -> str:
        spec = None
        if text is not None:
            spec = ModuleSpec("itables", None, is_package=True)
            spec.submodule_search_locations = [str(tmp_path)]
            (tmp_path / "html").mkdir(exist_ok=True)
            (tmp_path / "html" / "dt_bundle.js").write_text(text)
        monkeypatch.setattr(libraries, "find_spec", lambda _: spec)
        libraries.datatables.cache_clear()
        try:
            return libraries.datatables()
        finally:
            libraries.datatables.cache_clear()

    return put


@pytest.fixture
def wrapped(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a text in the place of plotly.js."""

    def put(text: str) -> str:
        monkeypatch.setattr(libraries, "get_plotlyjs", lambda: text)
        libraries.plotly.cache_clear()
        try:
            return libraries.plotly()
        finally:
            libraries.plotly.cache_clear()

    return put


HEAD = '(function(root, f) { root.m = f(); } (typeof self !== "undefined" ? self : this, '


def test_the_one_function_of_plotly_is_read_once(wrapped: Any) -> None:
    script = wrapped(HEAD + '() => {\n"use strict";var P=(()=>{})();\nreturn P;\n}));')

    assert script == HEAD + '(() => {\n"use strict";var P=(()=>{})();\nreturn P;\n})));'


@pytest.mark.parametrize("text", ["", "var Plotly={};", HEAD + "make));", HEAD + "() => 1)); x();"])
def test_plotly_wrapped_otherwise_is_left_as_it_is(wrapped: Any, text: str) -> None:
    assert wrapped(text) == text


def test_the_installed_plotly_is_wrapped_as_we_know() -> None:
    script, shipped = libraries.plotly(), str(get_plotlyjs()).replace("\r\n", "\n")

    assert len(script) == len(shipped) + 2
    assert script.replace("this, (() =>", "this, () =>", 1).endswith(shipped[-100:-4] + "})));")


def test_the_module_becomes_a_script_that_defines_one_name(bundled: Any) -> None:
    script = bundled('var a=1,$b="</script><!--";export{a as jQuery,$b as default};\n/* end */')

    assert script == (
        '(()=>{"use strict";var a=1,$b="<\\/script><\\!--";globalThis.DataTable=$b;\n/* end */})();'
    )


@pytest.mark.parametrize("text", ["", "var a=1;", "export{a as jQuery};"])
def test_a_bundle_of_another_form_is_an_error_with_a_way_out(bundled: Any, text: str) -> None:
    with pytest.raises(MissingResourceError, match=r"not known\. Install it: pip install 'itab"):
        bundled(text)


def test_without_the_wheel_the_error_says_what_to_install(bundled: Any) -> None:
    with pytest.raises(MissingResourceError, match=r"not installed\. Install it") as caught:
        bundled(None)

    assert caught.value.exit_code == 7


def test_the_installed_wheel_is_of_the_form_that_we_know() -> None:
    script = libraries.datatables()

    assert "globalThis.DataTable=" in script
    assert "</script" not in script.lower()
    assert "export{" not in script
