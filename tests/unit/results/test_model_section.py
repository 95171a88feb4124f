"""The exported models: each with the figures of the checkpoint that it holds."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.unit.results.conftest import Tree

from understudy.results.comparison import comparison
from understudy.results.find import find
from understudy.results.model_section import models


def export(tree: Tree, seed: int, **summary: Any) -> str:
    entry = tree.export(seed)
    content = {**tree.summaries[entry["run"]], "checkpoint": "best", **summary}
    tree.write(f"{entry['run']}/summary.json", content)
    return str(entry["run"])


def shown(tree: Tree) -> str:
    record = find(tree.study())
    told = models(record, comparison(record).rows, beside=record.path)
    return "" if told is None else str(told)


def cells(page: str) -> list[str]:
    found = re.findall(r"<td[^>]*>(.*?)</td>", page)
    return [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in found]


def test_a_file_is_told_with_the_figures_of_its_own_checkpoint(tree: Tree) -> None:
    tree.train("student", 1, validation=0.50)
    tree.evaluate(1, top1={"student": 0.45})  # best: four tenths of a point more
    export(tree, 1, temperature={"value": 1.234, "labels": 80})

    assert cells(shown(tree)) == ["student.onnx", "1", "best", "52.0", "45.4", "330 kB", "1.23", ""]


def test_a_temperature_that_was_not_fitted_is_none(tree: Tree) -> None:
    tree.train("student", 1)
    export(tree, 1, temperature={"value": 1.0, "labels": 0})

    assert cells(shown(tree))[4:7] == ["–", "330 kB", "–"]


def test_links_lead_to_the_files_and_hold_in_a_copy(tree: Tree) -> None:
    tree.train("student", 1)
    run = export(tree, 1)
    for name in ("student.onnx", "README.md", "predict.py"):
        tree.write(f"{run}/{name}", "x")
    page = shown(tree)
    folder = tree.study()

    targets = re.findall(r'href="([^"]*)"', page)

    assert {Path(one).name for one in targets} == {"student.onnx", "README.md", "predict.py"}
    assert all((folder / one).resolve().is_file() for one in targets)


def test_a_verdict_on_eight_bits_stands_beside_its_file(tree: Tree) -> None:
    tree.train("student", 1)
    export(tree, 1, int8={"file": "student.int8.onnx", "recommended": False, "against": ["slow"]})

    assert "student.int8.onnx not recommended" in cells(shown(tree))


def test_only_where_there_are_several_is_there_a_choice(tree: Tree) -> None:
    tree.train("student", 1)
    export(tree, 1)
    assert "go by validation" not in shown(tree)

    tree.train("student", 2)
    export(tree, 2, golden={"images": 16, "files": 3})
    assert "go by validation" in shown(tree)
    assert "golden.npz holds training images" in shown(tree)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "", None])
def test_a_file_elsewhere_is_no_model(tree: Tree, name: Any) -> None:
    tree.train("student", 1)
    export(tree, 1, file=name)

    assert shown(tree) == ""


def test_a_study_without_exports_has_no_such_section(tree: Tree) -> None:
    tree.train("student", 1)

    assert shown(tree) == ""
