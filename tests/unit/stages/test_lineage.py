import json
from pathlib import Path
from typing import Any

import pytest

from understudy.core.yaml import write_yaml
from understudy.stages.lineage import Ancestor, lineage, parent_place


def run(root: Path, name: str, *, summary: dict[str, Any], settings: dict[str, Any]) -> Path:
    place = root / name
    place.mkdir(parents=True)
    (place / "summary.json").write_text(json.dumps({"identity": name, **summary}))
    (place / "config.yaml").write_text(write_yaml({"settings": settings}))
    return place


def parent(name: str) -> dict[str, str]:
    return {"identity": name, "run": name}


@pytest.fixture
def student(tmp_path: Path) -> Path:
    run(tmp_path, "pretrain/p", summary={"parents": {}}, settings={})
    run(tmp_path, "finetune/t", summary={"parents": {"start": parent("pretrain/p")}}, settings={})
    summary = {"parents": {"teacher": parent("finetune/t")}}
    return run(tmp_path, "distill/s", summary=summary, settings={})


def test_the_line_leads_to_the_first_weights(student: Path) -> None:
    assert [(one.role, one.run) for one in lineage(student)] == [
        ("", "distill/s"),
        ("teacher", "finetune/t"),
        ("start", "pretrain/p"),
    ]


@pytest.mark.usefixtures("student")
def test_a_run_that_moved_with_its_folder_is_found_and_one_that_is_gone_is_told(
    tmp_path: Path,
) -> None:
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    tmp_path.rename(moved)
    (moved / "pretrain/p/summary.json").unlink()

    found = lineage(moved / "distill/s")

    assert [bool(one.summary) for one in found] == [True, True, False]


def test_a_parent_elsewhere_is_found_by_the_settings_and_another_run_there_is_not_it(
    tmp_path: Path,
) -> None:
    teacher = run(tmp_path / "far", "finetune/t", summary={}, settings={})
    summary = {"parents": {"teacher": parent("finetune/t")}}
    student = run(tmp_path, "d/s", summary=summary, settings={"teacher": str(teacher)})

    assert parent_place(student, "teacher") == teacher
    (teacher / "summary.json").write_text('{"identity": "another"}')
    assert parent_place(student, "teacher") is None


def test_every_member_of_an_ensemble_is_followed_to_its_first_weights(tmp_path: Path) -> None:
    """One of them began with weights of others, which the model card has to tell."""
    run(tmp_path, "adopt/a", summary={"weights": {"origin": "x"}, "parents": {}}, settings={})
    started = {"parents": {"start": parent("adopt/a")}}
    run(tmp_path, "finetune/one", summary=started, settings={})
    far = run(tmp_path / "far", "train/two", summary={"parents": {}}, settings={})
    parents = {"members[0]": parent("finetune/one"), "members[1]": parent("train/two")}
    settings = {"members": ["elsewhere", str(far)]}
    place = run(tmp_path, "ensemble/e", summary={"parents": parents}, settings=settings)

    assert [(one.role, one.run, bool(one.summary)) for one in lineage(place)] == [
        ("", "ensemble/e", True),
        ("members", "finetune/one", True),
        ("start", "adopt/a", True),
        ("members", "train/two", True),
    ]
    assert [one.run for one in lineage(place) if one.foreign_weights is not None] == ["adopt/a"]


def test_runs_that_name_each_other_end(tmp_path: Path) -> None:
    for one, other in (("a/a", "b/b"), ("b/b", "a/a")):
        run(tmp_path, one, summary={"parents": {"teacher": parent(other)}}, settings={})

    assert len(lineage(tmp_path / "a/a")) == 2


@pytest.mark.parametrize(
    ("summary", "settings", "foreign", "licence"),
    [
        ({}, {"backbone": {"kind": "cifar_resnet"}}, None, "unknown"),
        ({"weights": {"origin": "x", "licence": "mit"}}, {}, "x", "mit"),
        ({"weights": {"origin": "x"}}, {}, "x", "unknown"),
        ({}, {"backbone": {"weights": "/home/me/w.safetensors"}}, "w.safetensors", "unknown"),
        ({}, {"backbone": {"pretrained": True, "name": "resnet18"}}, "resnet18", "unknown"),
        ({}, {"start": "/home/me/w.safetensors"}, "w.safetensors", "unknown"),
        ({"parents": {"start": {}}}, {"start": "runs/pretrain/x"}, None, "unknown"),
    ],
)
def test_weights_of_others_are_seen_and_an_unknown_licence_is_called_so(
    summary: dict[str, Any], settings: dict[str, Any], foreign: str | None, licence: str
) -> None:
    found = Ancestor("", "train/a", summary, settings)

    assert found.foreign_weights == foreign
    assert found.licence == licence
