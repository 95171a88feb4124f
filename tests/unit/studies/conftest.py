"""Stages as plain as settings can be, and a way to write a study."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, PositiveFloat, PositiveInt

from understudy.core.settings import Aside, RunPath, Settings
from understudy.studies.study import Study, read_study


class Small(Settings):
    kind: Literal["small"] = "small"
    depth: Literal[8, 14, 20] = 8


class Wide(Settings):
    kind: Literal["wide"] = "wide"
    width: PositiveInt = 1


class Data(Settings):
    path: Path = Path("images")
    workers: Annotated[int, Aside()] = 0


class Machine(Settings):
    device: Literal["auto", "cpu"] = "auto"
    threads: PositiveInt = 1


class Train(Settings):
    stage: Literal["train"] = "train"
    machine: Annotated[Machine, Aside()] = Machine()
    data: Data = Data()
    backbone: Annotated[Small | Wide, Field(discriminator="kind")] = Small()
    epochs: PositiveInt = 10
    seed: int = 0


class Distill(Settings):
    stage: Literal["distill"] = "distill"
    data: Data = Data()
    teacher: RunPath
    temperature: PositiveFloat = 4.0
    note: str = ""
    seed: int = 0


class Evaluate(Settings):
    stage: Literal["evaluate"] = "evaluate"
    data: Data = Data()
    models: tuple[RunPath, ...]


@pytest.fixture
def stages() -> dict[str, type[Settings]]:
    return {"train": Train, "distill": Distill, "evaluate": Evaluate}


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Study]:
    """Reads a study from the text of its file."""

    def read(text: str, name: str = "trial.yaml") -> Study:
        path = tmp_path / name
        path.write_text(text)
        return read_study(str(path))

    return read


@pytest.fixture
def chain() -> str:
    """A baseline, a teacher, a student, and a comparison of the three."""
    return """
parameters:
  data: {path: images}
  backbone: {kind: small, depth: 8}
  epochs: 3
scales:
  smoke: {epochs: 1, reduced: One epoch.}
seeds: [1, 2, 3]
stages:
  baseline: {stage: train, data: "${data}", backbone: "${backbone}", epochs: "${epochs}"}
  teacher: {stage: train, data: "${data}", backbone: {kind: wide}, seed: 0}
  student: {stage: distill, data: "${data}", teacher: "@teacher"}
  compare: {stage: evaluate, data: "${data}", models: ["@baseline", "@teacher", "@student"]}
"""
