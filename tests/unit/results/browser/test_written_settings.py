from ruamel.yaml import YAML

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
