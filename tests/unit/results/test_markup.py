import json

from hypothesis import given
from hypothesis import strategies as st

from understudy.results.markup import Markup, element, joined, json_block, safe


@given(st.text())
def test_text_cannot_become_markup(text: str) -> None:
    written = str(element("td", text, title=text))

    assert written.count("<") == 2
    assert written.count(">") == 2
    assert written.count('"') == 2


def test_markup_is_not_escaped_twice() -> None:
    inner = element("b", "a & b")

    assert element("p", inner, None) == "<p><b>a &amp; b</b></p>"
    assert joined([inner, "<"]) == "<b>a &amp; b</b>&lt;"
    assert safe(Markup("<i></i>")) == "<i></i>"


def test_attributes_are_written_as_html_names_them() -> None:
    written = element("td", class_="number", data_value="1", aria_label=None)

    assert written == '<td class="number" data-value="1"></td>'


@given(st.text())
def test_json_cannot_end_its_block_and_comes_back(text: str) -> None:
    block = str(json_block({"name": text}))

    content = block.removeprefix('<script type="application/json">').removesuffix("</script>")

    assert "<" not in content
    assert "&" not in content
    assert json.loads(content) == {"name": text}
