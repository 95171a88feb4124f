"""What a plan will take, from runs like its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.core.yaml import write_yaml
from understudy.stages import STAGES
from understudy.studies.estimate import Estimate, estimate
from understudy.studies.plan import Plan, plan
from understudy.studies.study import Study

Reader = Callable[..., Study]

TEXT = """
axes: {steps: [10, 40], depth: [8, 14]}
stages:
  teacher:
    stage: train
    data: {kind: folder, path: nowhere, size: 32}
    backbone: {kind: cifar_resnet, depth: '${depth}'}
    plan: {steps: '${steps}', batch_size: 32}
  student:
    stage: distill
    teacher: '@teacher'
    data: {kind: folder, path: nowhere, size: 32}
    student: {kind: cifar_resnet, depth: 8}
    plan: {epochs: 4, batch_size: 32}
  evaluation:
    stage: evaluate
    models: ['@student']
    data: {kind: folder, path: nowhere, size: 32}
"""


@pytest.fixture
def planned(study: Reader) -> Plan:
    return plan(study(TEXT), STAGES)


def finish(runs: Path, found: Plan, name: str, *, at: int = 0, **summary: Any) -> None:
    """Writes what a finished run leaves, of the settings of one that is planned."""
    node = [node for node in found.runs if node.name == name][at]
    parents = {
        field: {"run": f"{stage.stage}/{parent.node}-{parent.key}"}
        for field, parent in node.parents.items()
        for stage in found.runs
        if stage.key == parent.key
    }
    settings = STAGES[node.stage].model_validate(
        node.recipe({parent.key: Path("pending") for parent in node.parents.values()})
    )
    values = settings.model_dump(mode="json")
    folder = runs / node.stage / f"{node.name}-{node.key}"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(write_yaml({"settings": values}))
    network = {"backbone": values.get("backbone") or values.get("student")}
    told = {"key": node.key, "stage": node.stage, "parents": parents, "network": network}
    (folder / "summary.json").write_text(json.dumps({**told, **summary}))


def of(planned: Plan, runs: Path) -> Estimate:
    return estimate(planned, STAGES, runs=runs)


def test_without_a_measured_run_no_time_is_told(planned: Plan, tmp_path: Path) -> None:
    found = of(planned, tmp_path / "none")

    assert found.timed == 0
    assert found.untimed == {"teacher": 4, "student": 4, "evaluation": 4}
    assert found.lines()[0] == "time: not known, for no run like these was measured"


def test_time_goes_by_the_images_that_a_run_of_its_network_sees(
    planned: Plan, tmp_path: Path
) -> None:
    """10 steps took 5 seconds: 40 take 20; nothing is known of the deeper network."""
    finish(tmp_path, planned, "teacher", seconds=5.0, steps=10)

    found = of(planned, tmp_path)

    assert found.finished == 1
    assert found.timed == 1
    assert found.seconds == pytest.approx(20.0)
    assert found.untimed["teacher"] == 2


def test_passes_count_where_data_and_labels_are_the_same(
    planned: Plan, study: Reader, tmp_path: Path
) -> None:
    finish(tmp_path, planned, "teacher", seconds=5.0, steps=10)
    finish(tmp_path, planned, "student", seconds=8.0, epochs=4.0)
    longer = plan(study(TEXT.replace("epochs: 4", "epochs: 12")), STAGES)
    elsewhere = TEXT.replace("epochs: 4", "epochs: 12").replace("nowhere", "elsewhere")

    found = of(longer, tmp_path)

    assert found.untimed["student"] == 2, "of the deeper teacher"
    assert found.seconds == pytest.approx(20.0 + 2 * 24.0)
    assert of(plan(study(elsewhere), STAGES), tmp_path).untimed["student"] == 4


def test_another_size_of_images_is_no_likeness(
    planned: Plan, study: Reader, tmp_path: Path
) -> None:
    finish(tmp_path, planned, "teacher", seconds=5.0, steps=10)
    larger = plan(study(TEXT.replace("size: 32", "size: 64")), STAGES)

    assert of(larger, tmp_path).timed == 0


def test_disk_goes_by_runs_like_it_or_by_parameters(planned: Plan, tmp_path: Path) -> None:
    before = of(planned, tmp_path)
    finish(tmp_path, planned, "teacher", seconds=5.0, steps=10)
    (tmp_path / "train").glob("*").__next__().joinpath("weights").write_bytes(bytes(3_000_000))
    after = of(planned, tmp_path)

    assert (before.sized, before.computed, before.unsized) == (0, 8, {"evaluation": 4})
    small, deep = 78_042 - 650, 0  # of ResNet-8, its classifier of 10 classes taken off
    assert before.bytes > 6 * 4 * 5 * small + deep, "three copies, and two of SGD's momentum"
    assert after.sized == 1
    assert after.computed == 6
    assert after.bytes == pytest.approx(before.bytes - 2 * 4 * 5 * 77_000 + 3_000_000, rel=0.05)


def test_everything_fits_in_eighty_columns(planned: Plan, tmp_path: Path) -> None:
    finish(tmp_path, planned, "teacher", seconds=5.0, steps=10)

    lines = of(planned, tmp_path).lines()

    assert lines[0] == "1 of 12 runs are finished"
    assert max(map(len, lines)) < 80
    assert any("less than a minute for 1 of 11 runs" in line for line in lines)


def test_a_study_that_is_finished_takes_nothing(planned: Plan, tmp_path: Path) -> None:
    for name in ("teacher", "student", "evaluation"):
        for at in range(4):
            finish(tmp_path, planned, name, at=at, seconds=1.0)

    assert of(planned, tmp_path).lines() == ["12 of 12 runs are finished"]
