import re
from typing import Any

import numpy as np
import pytest

from understudy.data.decode import Decoding
from understudy.evaluation.intervals import wilson
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.temperature import NONE, Temperature
from understudy.stages.card import Card, Evaluated
from understudy.stages.lineage import Ancestor
from understudy.stages.model_card import written
from understudy.stages.quantising import Judgement

CONFUSION = [[50, 8, 2], [1, 150, 0], [3, 0, 6]]
RIGHT, IMAGES = 206, 220
FIGURES = {
    "images": IMAGES,
    "top1": RIGHT / IMAGES,
    "top5": None,
    "macro_f1": 0.8,
    "ece": 0.1,
    "ece_calibrated": 0.04,
    "confusion": CONFUSION,
}
MODEL = {
    "identity": "1",
    "checkpoints": {"best": {"val_top1": 0.9}},
    "labels": {"train": 30, "validation": 15},
    "epochs": 12.0,
    "steps": 90,
    "images": 300,
    "seed": 1,
    "version": "0.1.0",
    "network": {"backbone": {"kind": "cifar_resnet", "depth": 8}},
}


def card(**changed: Any) -> Card:
    return Card(
        file="student.onnx",
        sha256="ab" * 32,
        classes=("ant", "b|e`e", "=cat()"),
        channels=3,
        preparation=Preparation(Decoding("rgb", 32), 32),
        temperature=Temperature(1.7, 15, 0.2, 0.05),
        checkpoint="best",
        line=[Ancestor("", "distill/student-1", MODEL, {})],
        source="folder",
        pack="f00",
        splits={"train": 200, "val": 30, "test": 220, "unlabeled": 0},
        notes=(),
        evaluated=Evaluated("evaluate/e-1", "test", FIGURES),
        parity={"images": 512, "max_difference": 3e-6},
        golden={"images": 16, "files": 3},
        int8=None,
        int8_file="student.int8.onnx",
        file_bytes=320_000,
        machine={"processor": "A Processor", "instructions": ["avx2"]},
        version="0.1.0",
    )._replace(**changed)


def section(page: str, name: str) -> str:
    return page.split(f"## {name}\n")[1].split("\n## ")[0]


def test_its_numbers_are_those_of_the_evaluation_with_intervals_over_images() -> None:
    numbers = section(written(card()), "Numbers")

    low, high = (100 * bound for bound in wilson(RIGHT, IMAGES))
    assert f"| top-1 accuracy | 93.6 % | {low:.1f} to {high:.1f} % (Wilson) |" in numbers
    found = re.search(r"macro F1 \| 80\.0 % \| ([\d.]+) to ([\d.]+) % \(bootstrap\)", numbers)
    assert found
    assert 0 < float(found[1]) < float(found[2]) <= 100
    assert "220 images that nothing was trained, chosen or calibrated on" in numbers
    assert "with temperature | 4.0 %" in numbers
    assert "On validation (15 labels), which may have chosen the checkpoint: 90.0 %" in numbers


def test_figures_of_validation_are_not_called_a_test() -> None:
    numbers = section(written(card(evaluated=Evaluated("e/1", "val", FIGURES))), "Numbers")

    assert "so that they flatter it" in numbers
    assert "nothing was trained" not in numbers


def test_figures_of_leaked_images_are_marked_and_never_called_untouched() -> None:
    leaky = written(card(evaluated=Evaluated("evaluate/e-1", "test", FIGURES, leaked=12)))

    numbers, limits = section(leaky, "Numbers"), section(leaky, "Limits")
    assert "nothing was trained" not in numbers
    assert "† 12 test images are identical to images outside the test split of 220 (5.5 %)" in leaky
    figures = [line for line in numbers.splitlines() if re.match(r"\| [a-z]", line)][1:]
    assert len(figures) == 4
    assert all(re.search(r"% *†|%†", line) for line in figures)
    assert "(8 of 60†)" in limits
    assert re.search(r"recall [\d.]+ to [\d.]+ %†\)", limits)
    assert "†" not in written(card())


def test_without_an_evaluation_it_says_that_nothing_is_known() -> None:
    page = written(card(evaluated=None))

    assert "No evaluation on test images was given" in section(page, "Numbers")
    assert "is not known" in section(page, "Limits")


def test_its_limits_are_computed_from_the_confusions_and_the_labels() -> None:
    limits = section(written(card()), "Limits")

    assert "30 training labels and 15 validation labels" in limits
    assert "takes `ant` for `b/e'e` (8 of 60), `=cat()` for `ant` (3 of 9)" in limits
    low, high = (100 * bound for bound in wilson(6, 9))
    assert f"`=cat()` 9 (recall {low:.1f} to {high:.1f} %), `ant` 60" in limits
    assert "trial run" not in limits
    assert "always naming" not in limits


def test_a_trial_run_and_a_model_no_better_than_guessing_are_called_so() -> None:
    line = [Ancestor("", "distill/student-1", {**MODEL, "epochs": 0.05}, {})]
    guessing = np.array([[0, 100, 0], [0, 110, 0], [0, 10, 0]]).tolist()
    figures = {**FIGURES, "confusion": guessing, "top1": 0.5}

    limits = section(
        written(card(line=line, evaluated=Evaluated("e/1", "test", figures))), "Limits"
    )

    assert "trial run, and its numbers mean nothing" in limits
    assert "not shown to do better than always naming the most frequent class (50.0 %)" in limits


def test_what_the_split_found_is_a_limit() -> None:
    notes = ("2 test images are identical to others: a.png = b.png",)

    limits = section(written(card(notes=notes)), "Limits")

    assert "- 2 test images are identical to others." in limits
    assert "a.png" not in limits


def test_the_lineage_names_every_run_and_one_that_is_gone() -> None:
    line = [*card().line, Ancestor("teacher", "finetune/t-2", {}, {})]

    page = written(card(line=line))

    assert "taught by `finetune/t-2`, which is no longer there" in page
    assert "A run of the line is gone" in section(page, "Licence")


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (None, "No weights of others went into it"),
        ({"origin": "resnet18.x"}, "began with `resnet18.x`, whose licence is unknown"),
        ({"origin": "r", "licence": "apache-2.0"}, "whose licence is `apache-2.0`"),
    ],
)
def test_the_licence_of_what_it_started_from_is_told_or_unknown(weights: Any, told: str) -> None:
    line = [Ancestor("", "train/a-1", {**MODEL, "weights": weights}, {})]

    assert told in section(written(card(line=line)), "Licence")


def test_names_cannot_break_the_page() -> None:
    page = written(card())

    assert "b|e" not in page
    assert all(line.count("`") % 2 == 0 for line in page.splitlines())


def test_probabilities_without_labels_are_not_vouched_for() -> None:
    assert "nothing vouches" in section(written(card(temperature=NONE)), "Probabilities")
    assert "`logits` / 1.7" in section(written(card()), "Probabilities")


@pytest.mark.parametrize(
    ("own", "verdict"),
    [(0.5, "is recommended"), (0.9, "**not recommended**: it is 0.78 times")],
)
def test_g4_the_table_shows_both_files_and_says_which(own: float, verdict: str) -> None:
    judged = Judgement(512, 250, 0.9, 0.9, 300, 1.0, own, 30, 0.7, 50, 100_000, 300_000)

    costs = section(written(card(int8=judged)), "Size and speed")

    assert verdict in costs
    assert "| `student.onnx` | 300 | 90.0 % | 0.7 | 50 |" in costs
    assert f"| `student.int8.onnx` | 100 | 90.0 % | {own} | 30 |" in costs


@pytest.mark.parametrize(
    ("machine", "told"),
    [({"processor": "P", "instructions": []}, "unknown"), ({"instructions": ["avx2"]}, "avx2")],
)
def test_g8_it_says_what_the_machine_had_that_was_measured(
    machine: dict[str, Any], told: str
) -> None:
    costs = section(written(card(machine=machine)), "Size and speed")

    assert f"one thread, vector instructions: {told}" in costs


def test_it_says_how_to_verify_the_file() -> None:
    use = section(written(card()), "Use and check")

    assert f"sha256sum student.onnx    # {'ab' * 32}" in use
    assert "check.py             # 16 images; 3 whole image files" in use
    assert "must not leave" in use
    assert "check.py" not in section(
        written(card(golden={"images": 0, "files": 0})), "Use and check"
    )
