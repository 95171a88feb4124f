from typing import Any

import pytest

from understudy.results.configuration import configuration
from understudy.results.records import RunRecord, read_run


def runs(tree: Any) -> dict[str, RunRecord]:
    found = [read_run(tree.root / entry["run"]) for entry in tree.entries]
    return {run.identity: run for run in found}


def kinds(tree: Any, node: str) -> set[str]:
    known = runs(tree)
    return {configuration(run, known) for run in known.values() if run.name == node}


def test_runs_that_differ_in_their_seed_alone_are_one_configuration(tree: Any) -> None:
    for seed in (1, 2, 3):  # the fixture gives each seed another `machine.threads`, too
        tree.train("baseline", seed)

    assert len(kinds(tree, "baseline")) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": {"depth": 14}},
        {"settings": {"split": "\n    seed: 1"}},
        {"stage": "finetune"},
        {"summary": {"pack": "other"}},
    ],
    ids=["settings", "split seed", "stage", "data"],
)
def test_other_settings_stages_or_data_are_other_configurations(
    tree: Any, changed: dict[str, Any]
) -> None:
    tree.train("baseline", 1, settings={"split": "\n    seed: 0"})
    tree.train("baseline", 2, **{"settings": {"split": "\n    seed: 0"}, **changed})

    assert len(kinds(tree, "baseline")) == 2


def test_parents_that_differ_in_their_seed_alone_change_nothing(tree: Any) -> None:
    for seed in (1, 2):
        tree.train("pretrain", seed)
        tree.train("teacher", seed)
        tree.train("student", seed)

    assert len(kinds(tree, "student")) == 1


def test_another_grandparent_is_another_configuration(tree: Any) -> None:
    for seed, depth in ((1, 5), (2, 10)):
        tree.train("pretrain", seed, settings={"depth": depth})
        tree.train("teacher", seed)
        tree.train("student", seed)

    assert len(kinds(tree, "student")) == 2


def test_a_name_inside_the_settings_counts(tree: Any) -> None:
    tree.train("baseline", 1, settings={"name": "resnet18"})
    tree.train("baseline", 2, settings={"name": "resnet50"})

    assert len(kinds(tree, "baseline")) == 2


def test_what_has_no_settings_is_never_taken_for_equal(tree: Any) -> None:
    for seed in (1, 2):
        entry = tree.train("baseline", seed)
        (tree.root / entry["run"] / "config.yaml").unlink()

    assert len(kinds(tree, "baseline")) == 2
