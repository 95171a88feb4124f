from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from understudy.core.yaml import write_yaml
from understudy.results.browser.written_settings import flat

CONFIG = """identity: de528
key: 3a72
settings:
  data:
    channels: rgb
    path: /a: b
  seed: 1
  empty: {}
  terms:
  - kind: soft_label
    weight: 1.0
  - kind: label
    nested:
    - 1
    - 2
  views:
  - transforms:
    - probability: 1.0
      scale:
      - 0.5
      - 1.0
  plan:
    epochs: 30.0
other: 1
"""


def leaves(value: object, above: str = "") -> dict[str, object]:
    if isinstance(value, dict) and value:
        pairs = [(f"{above}.{key}" if above else key, one) for key, one in value.items()]
    elif isinstance(value, list) and value:
        pairs = [(f"{above}[{place}]", one) for place, one in enumerate(value)]
    else:
        return {above: value}
    return {key: leaf for name, one in pairs for key, leaf in leaves(one, name).items()}


def test_keys_are_those_that_a_parser_of_yaml_finds() -> None:
    parsed = YAML(typ="safe").load(CONFIG.replace("/a: b", "'/a: b'"))

    found = flat(CONFIG)

    assert list(found) == list(leaves(parsed["settings"]))
    assert found["terms[1].nested[1]"] == "2"
    assert found["views[0].transforms[0].scale[0]"] == "0.5"
    assert found["data.path"] == "/a: b"


def test_what_is_no_config_has_no_settings() -> None:
    assert flat("") == {}
    assert flat("not: ours\n") == {}


NASTY = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\x85\u2028\u2029", min_codepoint=32),
    max_size=300,
).map(lambda text: f"/images {text}")


LONG = "/images " + "my \"photos\": größe #1 'x' " * 6


@example(path=LONG, classes=[LONG, "red: dark"], name="red: dark")
@example(path="/" + "ü" * 200, classes=["- a", "#"], name="größe: 'x'")
@given(path=NASTY, classes=st.lists(NASTY, max_size=3), name=NASTY.map(lambda text: text[:60]))
def test_a_value_too_long_for_a_line_is_one_value(path: str, classes: list[str], name: str) -> None:
    settings = {"data": {"path": path, "classes": classes, "seed": 1}, "weights": {name: 2}}

    found = flat(write_yaml({"settings": settings}))

    assert found["data.seed"] == "1"
    assert len(found) == 3 + max(1, len(classes))
    for key, written in [
        ("data.path", path),
        *((f"data.classes[{n}]", classes[n]) for n in range(len(classes))),
    ]:
        assert YAML(typ="safe").load(f"value: {found[key]}")["value"] == written
