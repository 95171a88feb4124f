"""Any configuration gives a valid plan or a clean refusal: recipes, studies, and `key=value` words.

Values are what YAML can hold. Some files are made of them alone; most are right but for one or two
slips, which reach further in.
"""

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.cli.settings_help import setting_keys
from understudy.core.errors import UsageError
from understudy.core.overrides import overlaid, parse_overrides, with_data_path, written
from understudy.core.settings import checked
from understudy.core.shipped import found, shipped_names
from understudy.core.yaml import parse_mapping, write_yaml
from understudy.stages import STAGES
from understudy.studies.configure import made_of
from understudy.studies.plan import Plan, plan
from understudy.studies.study import Study, read_study

ODD_TEXT = st.sampled_from(
    [
        *("", " ", "null", "true", "1e3", ".nan", "0x10", "@teacher", "@", "@student", "${seed}"),
        *("${epochs}", "${labels.per_class}", "${nothing}", "${", "${${seed}}", "a ${seed} b"),
        *(
            "digits",
            "folder",
            "timm",
            "sgd",
            "soft_label",
            "cuda:99",
            "\x00",
            "\ud800",
            "🎓",
            "a.b",
        ),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | ODD_TEXT
    | st.text(max_size=8)
)
NAMES = st.sampled_from(
    [
        *("kind", "stage", "seed", "data", "plan", "terms", "weight", "views", "depth", "path"),
        *("epochs", "steps", "optimizer", "machine", "transforms", "teacher", "start", "end"),
    ]
) | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
KEYS = {stage: [key.replace("[i]", "[0]") for key in setting_keys(stage)] for stage in STAGES}


def told(error: UsageError) -> str:
    message = str(error)
    assert message
    assert len(message.splitlines()) < 200
    return message


def tried(work: Any) -> Any:
    """What the work gives, or None where it refuses in words; any other error is a fault."""
    try:
        return work()
    except UsageError as error:
        told(error)
        return None


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for part, inner in items:
        yield (*before, part)
        if isinstance(inner, dict | list):
            yield from places(inner, (*before, part))


def at(value: Any, place: tuple[Any, ...]) -> Any:
    for part in place:
        value = value[part]
    return value


def with_slips(data: st.DataObject, right: dict[str, Any]) -> dict[str, Any]:
    """What is right, with up to two values taken away, replaced, or put elsewhere."""
    values = copy.deepcopy(right)
    for _ in range(data.draw(st.integers(0, 2))):
        known = list(places(values))
        if not known:
            break
        *outer, last = data.draw(st.sampled_from(known))
        holder = at(values, tuple(outer))
        slip = data.draw(st.sampled_from(["replaced", "odd", "moved", "gone", "renamed"]))
        if slip == "gone":
            del holder[last]
        elif slip == "moved":
            holder[last] = copy.deepcopy(at(values, data.draw(st.sampled_from(known))))
        elif slip == "renamed" and isinstance(holder, dict):
            holder[data.draw(NAMES)] = holder.pop(last)
        else:
            holder[last] = data.draw(SCALARS if slip == "odd" else VALUES)
    return values


def defaults(stage: str) -> dict[str, Any]:
    """Settings that are right, with every default written out."""
    needed: dict[str, Any] = {"teacher": "a", "start": "a", "model": "a", "models": ["a"]}
    needed["members"] = ["a", "b"]
    if stage == "adopt":
        needed |= {"backbone": {"kind": "cifar_resnet"}, "weights": "a.safetensors"}
    fields = STAGES[stage].model_fields
    given = {key: value for key, value in needed.items() if key in fields}
    right: dict[str, Any] = STAGES[stage].model_validate(given).model_dump(mode="json")
    return right


@given(st.data())
@settings(max_examples=200)
def test_any_recipe_is_settings_or_a_refusal(data: st.DataObject) -> None:
    stage = data.draw(st.sampled_from(list(STAGES)))
    fields = st.sampled_from(list(STAGES[stage].model_fields))
    anything = data.draw(st.dictionaries(fields | NAMES, VALUES, max_size=4))
    recipe = data.draw(st.sampled_from([anything, with_slips(data, defaults(stage))]))

    tried(lambda: checked(STAGES[stage], recipe, origin="recipe"))


@given(st.data())
@settings(max_examples=200)
def test_any_value_at_any_key_is_settings_or_a_refusal(data: st.DataObject) -> None:
    stage = data.draw(st.sampled_from(list(STAGES)))
    asked = data.draw(st.dictionaries(st.sampled_from(KEYS[stage]), VALUES, max_size=3))
    words = [f"{key}={text(value)}" for key, value in asked.items()]

    def configured() -> Any:
        recipe = overlaid({}, with_data_path(parse_overrides(words)))
        return checked(STAGES[stage], recipe, origin="command line")

    tried(configured)


def text(value: Any) -> str:
    """A value as YAML text on one line, as a shell passes it on."""
    return value if isinstance(value, str) else repr(value).replace("None", "null")


STAGE = st.dictionaries(NAMES, VALUES, max_size=3) | st.fixed_dictionaries(
    {"stage": st.sampled_from([*STAGES, "nothing", 3, None])},
    optional={
        "data": st.just("${data}") | VALUES,
        "teacher": st.sampled_from(["@a", "@b", "@c", "x", None, ["@a"]]),
        "models": st.lists(st.sampled_from(["@a", "@b", 1]), max_size=2) | VALUES,
        "plan": st.fixed_dictionaries({"epochs": st.just("${epochs}") | VALUES}) | VALUES,
        "seed": st.just("${seed}") | VALUES,
    },
)
PLACES = st.sampled_from(["a", "b", "c"]) | st.text(max_size=4)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "name": VALUES,
        "title": VALUES,
        "extends": st.sampled_from(["digits", "study.yaml", "nothing", "", None]) | SCALARS,
        "parameters": st.fixed_dictionaries(
            {"epochs": SCALARS}, optional={"data": VALUES, "other": VALUES}
        )
        | VALUES,
        "scales": st.dictionaries(PLACES, st.dictionaries(NAMES, VALUES, max_size=2), max_size=2)
        | VALUES,
        "axes": st.dictionaries(PLACES, st.lists(VALUES, max_size=3), max_size=2) | VALUES,
        "seeds": st.lists(st.integers(-1, 3), max_size=3) | VALUES,
        "budget": st.dictionaries(NAMES, SCALARS, max_size=2) | VALUES,
        "stages": st.dictionaries(PLACES, STAGE, max_size=3) | VALUES,
    },
)


SHIPPED = [
    parse_mapping(path.read_text(), origin=path.name)
    for path in (found(name, folder="studies", what="study") for name in shipped_names("studies"))
]


@given(st.data())
@settings(max_examples=200)
def test_any_study_is_a_plan_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    shipped = data.draw(st.sampled_from(SHIPPED))
    values = data.draw(FILES) if data.draw(st.booleans()) else with_slips(data, shipped)
    written_down = tried_text(values)
    if written_down is None:
        return
    path = tmp_path_factory.getbasetemp() / "study.yaml"
    path.write_bytes(written_down)

    study = tried(lambda: read_study(str(path)))
    planned = tried(lambda: plan(study, STAGES)) if study else None

    assert planned is None or (isinstance(planned, Plan) and planned.lines())


def tried_text(values: Any) -> bytes | None:
    """The values as a file, where YAML and UTF-8 can hold them."""
    try:
        return write_yaml(values).encode()
    except UnicodeEncodeError:
        return None


@pytest.fixture(scope="module")
def few_labels() -> Study:
    return read_study("few-labels")


@given(st.data())
@settings(max_examples=200)
def test_any_words_for_a_study_are_a_plan_or_a_refusal(
    few_labels: Study, data: st.DataObject
) -> None:
    keys = [
        *("data", "data.path", "data.kind", "labels.per_class", "student", "student.kind"),
        *("student.depth", "views", "views.pretrain", "views.pretrain[0]", "pretrain.optimizer"),
        *("finetune.steps", "budget", "seeds", "scale", "machine", "machine.device", "machine.x.y"),
    ]
    asked = data.draw(st.dictionaries(st.sampled_from(keys), VALUES, max_size=3))
    words = [f"{key}={text(value)}" for key, value in asked.items()]

    made = tried(lambda: made_of(few_labels, parse_overrides(words)))
    if made is not None:
        tried(lambda: plan(made.study, STAGES, mistakes=made.mistakes))


@given(st.dictionaries(st.from_regex(r"[a-z]{1,4}(\.[a-z]{1,3})?", fullmatch=True), SCALARS))
def test_words_written_are_read_as_the_same_values(values: dict[str, Any]) -> None:
    """What help and reports show as `key=value` means what it says, wherever it can be written."""
    sayable = {
        key: value
        for key, value in values.items()
        if not (isinstance(value, float) and not math.isfinite(value))
        and not (isinstance(value, str) and not value.isprintable())
    }

    assert parse_overrides(written(sayable)) == sayable


@given(st.text(max_size=40) | st.text(alphabet=":-[]{}&*!|>'\"#%@, \n\tab1.", max_size=30))
@settings(max_examples=200)
def test_any_text_is_yaml_or_a_refusal(content: str) -> None:
    tried(lambda: parse_mapping(content, origin="file"))
