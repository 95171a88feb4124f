from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

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
