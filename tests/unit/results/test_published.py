"""A study beside what others published: their figures as stated, differences computed."""

from typing import Any

import pytest

from understudy.results.comparison import comparison
from understudy.results.find import find
from understudy.results.markdown import markdown
from understudy.results.published import Beside, beside
from understudy.results.published_section import published

THEIRS = {
    "title": "as published",
    "source": "A paper, table 2",
    "checkpoint": "last",
    "test_images": 10_000,
    "figures": [
        {"name": "baseline", "axes": {}, "test_top1": [0.40, 0.42, 0.41]},
        {"name": "student", "axes": {}, "test_top1": [0.45, 0.44, 0.49]},
        {"name": "teacher", "axes": {}, "test_top1": [0.6]},
    ],
}


@pytest.fixture
def compared(run_main_job: Any) -> Beside:
    record = find(run_main_job().study(published=[THEIRS]))
    found = beside(record, comparison(record))
    assert found is not None
    return found


def test_models_stand_beside_their_figures_at_the_checkpoint_that_was_published(
    compared: Beside,
) -> None:
    assert [(row.title, row.figures) for row in compared.models] == [
        ("baseline", ("45.6 ± 0.5", "41.0 ± 1.0")),
        ("teacher", ("52.3 ± 0.4", "60.0")),
        ("student", ("53.4 ± 0.5", "46.0 ± 2.6")),
    ]


def test_their_differences_are_paired_where_they_told_every_seed(compared: Beside) -> None:
    baseline, teacher = compared.differences

    assert baseline.title == "student − baseline"
    assert baseline.figures == ("+7.8 (+6.9 to +8.7)", "+5.0 (−2.5 to +12.5)")
    assert teacher.figures[1] == "−14.0", "three seeds against one figure have no interval"


def test_a_figure_of_one_setting_is_shown_beside_that_alone(tree: Any) -> None:
    for depth in (3, 4):
        tree.train("student", 1, axes={"depth": depth})
        tree.evaluate(1, axes={"depth": depth}, settings={"depth": depth})
    figures = [{"name": "student", "axes": {"depth": 4}, "test_top1": [0.7]}]
    record = find(tree.study(published=[{**THEIRS, "figures": figures}]))

    found = beside(record, comparison(record))

    assert found is not None
    assert [(row.setting, row.figures[1]) for row in found.models] == [("depth = 4", "70.0")]


@pytest.mark.parametrize(
    ("fields", "is_said"),
    [
        ({}, False),
        ({"changed": {"data.path": "cifar"}}, False),
        ({"changed": {"epochs": 5}}, True),
        ({"reduced": "Less of it."}, True),
    ],
)
def test_a_study_of_another_protocol_says_that_levels_cannot_be_compared(
    run_main_job: Any, fields: dict[str, Any], is_said: bool
) -> None:
    record = find(run_main_job().study(published=[THEIRS], **fields))
    found = beside(record, comparison(record))

    assert ("Compare the differences" in str(published(found))) is is_said
    assert ("Compare the differences" in markdown(record)) is is_said


def test_figures_are_not_shown_beside_results_on_other_images(run_main_job: Any) -> None:
    record = find(run_main_job().study(published=[{**THEIRS, "test_images": 360}]))

    assert beside(record, comparison(record)) is None
    assert published(None) is None


def test_each_study_of_a_folder_is_held_against_its_own_sources(run_main_job: Any) -> None:
    tree = run_main_job()
    tree.study("one", published=[THEIRS])
    tree.study("other")
    record = find(tree.root)

    found = beside(record, comparison(record))

    assert found is not None
    assert [row.title for row in found.models] == ["baseline", "teacher", "student"]


def test_the_figure_of_the_setting_goes_before_one_of_all_settings(tree: Any) -> None:
    tree.train("student", 1, axes={"depth": 4})
    tree.evaluate(1, axes={"depth": 4}, settings={"depth": 4})
    of_all, own = (
        {"name": "student", "axes": axes, "test_top1": [value]}
        for axes, value in (
            ({}, 0.9),
            ({"depth": 4}, 0.7),
        )
    )
    record = find(tree.study(published=[{**THEIRS, "figures": [of_all, own]}]))

    found = beside(record, comparison(record))

    assert found is not None
    assert found.models[0].figures[1] == "70.0"


def test_the_page_for_the_documentation_holds_them_too(run_main_job: Any) -> None:
    record = find(run_main_job().study(published=[THEIRS]))

    assert "| student |  | 53.4 ± 0.5 | 46.0 ± 2.6 |" in markdown(record)
    assert "as published: A paper, table 2" in markdown(record)


def test_a_model_that_kept_one_checkpoint_stands_beside_figures_of_any(run_main_job: Any) -> None:
    tree = run_main_job()
    for entry in tree.entries:
        if entry["node"] == "baseline":
            summary = tree.summaries[entry["run"]]
            summary["checkpoints"].pop("best")
            tree.write(f"{entry['run']}/summary.json", summary)
    record = find(tree.study(published=[{**THEIRS, "checkpoint": "best"}]))

    found = beside(record, comparison(record))

    assert found is not None
    assert [row.title for row in found.models] == ["baseline", "teacher", "student"]
    assert [row.figures[1] for row in found.models] == ["41.0 ± 1.0", "60.0", "46.0 ± 2.6"]


def test_figures_of_frozen_features_stand_beside_those_of_the_same_probe(tree: Any) -> None:
    reached = {1: 0.70, 2: 0.72}
    for seed, linear in reached.items():
        run = tree.train("pretrain", seed)
        place = {"identity": run["identity"], "run": run["run"], "checkpoint": "last"}
        probe = {**place, "labels": {"train": 90}, "linear_top1": linear, "linear_top5": 0.9}
        told = {"split": "test", "images": 10_000, "leaked": 0, "evaluations": []}
        tree.run("evaluation", seed, summary={**told, "probes": [probe]})
    figures = [{"name": "pretrain", "axes": {}, "linear_top1": [0.8], "knn200_top1": [0.5]}]
    record = find(tree.study(published=[{**THEIRS, "figures": figures}]))

    found = beside(record, comparison(record))

    assert found is not None and found.is_of_several
    (row,) = found.models
    assert (row.title, row.what, row.figures) == ("pretrain", "linear", ("71.0 ± 1.4", "80.0"))
    assert "linear" in str(published(found))
    assert "| pretrain |  | linear | 71.0 ± 1.4 | 80.0 |" in markdown(record)
