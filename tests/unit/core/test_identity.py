"""What a run is."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from understudy.core.identity import canonical, digest, files_of, parents_of
from understudy.core.settings import Added, Aside, FilePath, RunPath, Settings


class Colour(Enum):
    RED = "red"


class Machine(Settings):
    threads: int = 1


class Data(Settings):
    path: Path = Path("images")
    pool: RunPath | None = None


class Evaluate(Settings):
    stage: Literal["evaluate"] = "evaluate"
    models: tuple[RunPath, ...] = ()
    teacher: RunPath | None = None
    by_name: dict[str, RunPath] = {}  # noqa: RUF012 - pydantic copies it
    data: Data = Data()
    colour: Colour = Colour.RED
    machine: Annotated[Machine, Aside()] = Machine()
    workers: Annotated[int, Aside] | None = None


def test_parents_are_found_wherever_they_stand() -> None:
    settings = Evaluate(
        models=(Path("a"), Path("b")),
        teacher=Path("c"),
        by_name={"x": Path("d")},
        data=Data(pool=Path("e")),
    )

    assert parents_of(settings) == {
        "models[0]": Path("a"),
        "models[1]": Path("b"),
        "teacher": Path("c"),
        "by_name.x": Path("d"),
        "data.pool": Path("e"),
    }


class Plan(Settings):
    steps: int = 10
    decay: Annotated[float, Added()] = 1.0
    rates: Annotated[tuple[float, ...] | None, Added()] = None


def test_a_setting_that_came_later_changes_nothing_until_it_is_used() -> None:
    before, used = {"steps": 10}, {"steps": 10, "decay": 0.5, "rates": [0.1]}

    assert canonical(Plan(), {}) == canonical(Plan(decay=1.0), {}) == before
    assert canonical(Plan(decay=0.5, rates=(0.1,)), {}) == used


class Adopt(Settings):
    weights: Literal["timm"] | FilePath = "timm"
    start: RunPath | None = None
    note: Path = Path("note")


def test_a_file_is_known_by_what_is_in_it_and_a_word_stays_a_word() -> None:
    named = Adopt(weights=Path("a.safetensors"), start=Path("run"))

    assert files_of(named) == {"weights": Path("a.safetensors")}
    assert parents_of(named) == {"start": Path("run")}
    assert files_of(Adopt()) == {}
    known = {"weights": "hash", "start": "key"}
    assert canonical(named, known) == {"weights": "hash", "start": "key", "note": "note"}
    assert canonical(Adopt(), known)["weights"] == "timm"


def test_a_run_stands_for_its_key_and_a_path_for_itself() -> None:
    settings = Evaluate(models=(Path("a"), Path("b")), data=Data(path=Path("a")))

    content = canonical(settings, {"models[0]": "k0", "data.path": "never"})

    assert content["models"] == ["k0", "b"]
    assert content["data"] == {"path": "a", "pool": None}


def test_the_same_run_in_another_place_is_the_same() -> None:
    here, there = Evaluate(teacher=Path("runs/a")), Evaluate(teacher=Path("/elsewhere/a"))

    assert canonical(here, {"teacher": "k"}) == canonical(there, {"teacher": "k"})


def test_what_is_aside_changes_nothing_and_everything_else_does() -> None:
    def key(**values: Any) -> str:
        return digest(canonical(Evaluate.model_validate(values), {}))

    assert key(machine={"threads": 8}, workers=3) == key()
    assert key(stage="evaluate", data={"path": "images"}) == key()
    assert len({key(), key(data={"path": "x"}), key(teacher="t"), key(models=["t"])}) == 4


def test_content_is_plain_json() -> None:
    content = canonical(Evaluate(), {})

    assert content == {
        "stage": "evaluate",
        "models": [],
        "teacher": None,
        "by_name": {},
        "data": {"path": "images", "pool": None},
        "colour": "red",
    }


def test_a_digest_is_the_same_in_every_version_and_order() -> None:
    assert digest({"b": [1, 2.5, None, "ü"], "a": True}) == digest(
        {"a": True, "b": [1, 2.5, None, "ü"]}
    )
    assert digest({}) == "44136fa355b3678a"
    assert digest({"a": 1}) != digest({"a": 1.0})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_no_two_readers_write_alike_has_no_digest(value: float) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        digest({"a": value})
