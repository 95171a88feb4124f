"""Two schemes over one set of images: shared pretraining, test sets kept apart, figures of two."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.stage.conftest import Launcher

from understudy.cli.entry import main
from understudy.core.errors import DataError, UsageError
from understudy.core.files import read_json
from understudy.core.leaks import SIGN
from understudy.results.find import find
from understudy.results.leaks import caution, sign
from understudy.results.rows import rows_of
from understudy.stages.launch import Launched

SPLIT = {"test": 0.15, "validation": 0.15, "validation_of": "all"}
SCHEMES = {
    "seven": {"classes": {"positive": ["7"]}, "otherwise": "negative", "sample": "balanced"},
    "even": {"classes": {"positive": ["0", "2", "4", "6", "8"]}, "otherwise": "negative"},
}
SEVEN = {"split": SPLIT, "schemes": SCHEMES, "scheme": "seven"}
LABELS = {"fraction": 0.25, "validation_fraction": 0.25}


@pytest.fixture(scope="module")
def shared_pretraining(go: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Launched:
    """Of both schemes, whose test images it leaves out."""
    return go(
        "pretrain",
        root=tmp_path_factory.mktemp("schemes"),
        split={**SPLIT, "keep_out": ["seven", "even"]},
        schemes=SCHEMES,
        images=["train", "unlabeled", "validation"],
    )


@pytest.fixture(scope="module")
def root(shared_pretraining: Launched) -> Path:
    return shared_pretraining.run.path.parents[1]


@pytest.fixture(scope="module")
def teacher(go: Launcher, shared_pretraining: Launched, root: Path) -> Launched:
    start = str(shared_pretraining.run.path)
    return go("finetune", root=root, start=start, labels=LABELS, **SEVEN)


@pytest.fixture(scope="module")
def students(go: Launcher, teacher: Launched, root: Path) -> dict[str, Launched]:
    """By the images that they learned from."""
    return {
        name: go(
            "distill",
            root=root,
            name=name,
            teacher=str(teacher.run.path),
            labels=LABELS,
            transfer=transfer,
        )
        for name, transfer in (("apart", "pool"), ("peeping", ["labelled", "test"]))
    }


@pytest.fixture(scope="module")
def evaluation(
    go: Launcher, teacher: Launched, students: dict[str, Launched], root: Path
) -> Launched:
    models = [teacher, *students.values()]
    return go("evaluate", root=root, models=[str(one.run.path) for one in models])


def test_the_pretraining_sees_all_but_both_test_sets(
    shared_pretraining: Launched, teacher: Launched
) -> None:
    counts = read_json(shared_pretraining.run.path / "data" / "splits.json")["counts"]
    of_seven = read_json(teacher.run.path / "data" / "splits.json")["counts"]

    assert shared_pretraining.summary["images"] == 1797 - counts["test"]
    assert of_seven["test"] == 2 * round(0.15 * 179), "as many others as there are sevens"
    assert of_seven["train"] == 2 * (179 - 2 * round(0.15 * 179))
    assert teacher.summary["pack"] == shared_pretraining.summary["pack"]
    assert "learned from the" in shared_pretraining.summary["notes"][-1], "of validation images"


def test_a_scheme_is_inherited_and_its_figures_of_two_are_told(evaluation: Launched) -> None:
    told = evaluation.summary["evaluations"]

    assert evaluation.summary["classes"] == ["negative", "positive"]
    assert {one["binary"]["positive"] for one in told} == {"positive"}
    for one in told:
        (tn, fp), (fn, tp) = one["confusion"]
        assert [one["binary"][name] for name in ("tp", "fp", "tn", "fn")] == [tp, fp, tn, fn]
        assert one["binary"]["f1"] == one["per_class"][1]["f1"]
        assert one["binary"]["auc"] is not None
    agreements = {one["run"].split("/")[0]: one["agreement"] for one in told}
    assert (agreements["finetune"], agreements["distill"] is None) == (None, False)


def test_who_learned_from_test_images_is_marked_and_nobody_else(
    evaluation: Launched, students: dict[str, Launched], root: Path
) -> None:
    images = evaluation.summary["images"]
    seen = {
        one["run"].split("/")[1].split("-")[0]: one["seen"]
        for one in evaluation.summary["evaluations"]
    }
    rows = {row.name: row for row in rows_of(find(root)) if row.test_top1 is not None}

    assert seen == {"finetune": 0, "apart": 0, "peeping": images}
    assert students["peeping"].summary["learned_from_test"] is True
    assert "too good" in students["peeping"].summary["notes"][-1]
    for metric in ("test_top1", "test_f1", "test_auc", "agreement"):
        assert sign([rows["peeping"]], metric) == SIGN
        assert sign([rows["apart"]], metric) == sign([rows["finetune"]], metric) == ""
    (told,) = caution(list(rows.values()))
    assert f"learned from {images:,} test images of {images:,} (100.0 %)" in told


def test_what_goes_on_from_who_saw_test_images_is_marked_too(
    go: Launcher, students: dict[str, Launched], root: Path
) -> None:
    heir = go(
        "distill", root=root, name="heir", teacher=str(students["peeping"].run.path), labels=LABELS
    )
    told = go("evaluate", root=root, name="late", models=[str(heir.run.path)])

    assert all(one["seen"] == told.summary["images"] for one in told.summary["evaluations"])
    assert heir.summary["learned_from_test"] is True


def test_a_pretraining_that_kept_no_test_image_out_is_refused(go: Launcher, root: Path) -> None:
    careless = go("pretrain", root=root, name="careless", split=SPLIT, schemes=SCHEMES)
    start = str(careless.run.path)

    with pytest.raises(
        UsageError, match=r"start  learned from \d+ of the 54 test images.*\[seven\]"
    ):
        go("finetune", root=root, start=start, labels=LABELS, **SEVEN)

    allowed = {**SEVEN, "split": {**SPLIT, "allow_seen": True}}
    tuned = go("finetune", root=root, name="allowed", start=start, labels=LABELS, **allowed)
    told = go("evaluate", root=root, name="careless", models=[str(tuned.run.path)])
    assert all(one["seen"] > 20 for one in told.summary["evaluations"])


def test_a_teacher_of_another_scheme_is_refused_though_its_classes_have_the_same_names(
    go: Launcher, teacher: Launched, root: Path
) -> None:
    other = {**SEVEN, "scheme": "even", "split": {**SPLIT, "allow_seen": True}}

    with pytest.raises(
        DataError, match="other sets of labels: negative: all others; positive: '7'"
    ):
        go("distill", root=root, teacher=str(teacher.run.path), labels=LABELS, **other)


def test_probes_of_a_network_without_classes_need_to_be_told_how_many_labels(
    go: Launcher, shared_pretraining: Launched, root: Path
) -> None:
    models = [str(shared_pretraining.run.path)]

    with pytest.raises(UsageError, match=r"or with other classes.*probe\.labels\.fraction"):
        go("evaluate", root=root, models=models, **SEVEN)
    told = go("evaluate", root=root, models=models, probe={"labels": LABELS, "shares": []}, **SEVEN)
    assert told.summary["probes"][0]["seen"] == 0
    assert 0.4 < told.summary["probes"][0]["linear_top1"] <= 1


def test_a_finished_run_is_asked_with_its_scheme(
    teacher: Launched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(tmp_path / "a.png")

    assert main(["predict", str(teacher.run.path), str(tmp_path / "a.png")]) == 0
    assert "negative" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"transfer": "tests"}, "transfer"),
        ({"transfer": []}, "transfer"),
    ],
)
def test_images_go_by_names_that_there_are(
    go: Launcher, teacher: Launched, root: Path, values: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        go("distill", root=root, teacher=str(teacher.run.path), **values)


def test_counts_of_every_scheme_are_told_in_eighty_columns_and_on_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    words = [
        "data.kind=digits",
        "schemes.seven={classes: {positive: ['7']}, otherwise: negative, sample: balanced}",
        "schemes.even={classes: {positive: ['0', '2', '4', '6', '8']}, otherwise: negative}",
    ]

    assert main(["check-data", *words, "--runs", str(tmp_path / "r"), "--html", str(page)]) == 0

    told = capsys.readouterr().out
    lines = [line for line in told.splitlines() if not line.startswith("Report: ")]  # a path
    assert max(map(len, lines)) <= 80
    assert "scheme seven: labels by share, and a pool of" in told
    assert "scheme even: labels by share, and a pool of" in told
    (row,) = [
        line.split()
        for line in told.partition("scheme seven")[2].splitlines()
        if line.startswith("positive")
    ][:1]
    assert row == ["positive", "train", "1", "3", "12", "32", "64", "129"]
    assert page.read_text().count("Scheme seven: labels by share") >= 1


def test_a_scheme_of_labels_that_are_not_there_is_told_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data.kind=digits", "schemes.a={classes: {yes: [seven]}, otherwise: no}"]

    assert main(["check-data", *words, "--runs", str(tmp_path / "r")]) == 3

    told = capsys.readouterr().out
    assert "scheme a: no image has a label of the class 'yes', which are 'seven'." in " ".join(
        told.split()
    )
