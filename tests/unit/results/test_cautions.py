from pathlib import Path
from typing import Any

import pytest

from understudy.results.cautions import cautions
from understudy.results.comparison import comparison
from understudy.results.find import find


def told(path: Path) -> list[str]:
    record = find(path)
    return [one.text for one in cautions(record, comparison(record))]


def test_a_sound_study_has_only_the_cautions_that_its_numbers_ask_for(study: Path) -> None:
    assert told(study) == [
        "On average the teacher is weaker than the student: 52.3 % against 53.4 % on the test "
        "images.",
        "Best checkpoints were chosen on 100 validation labels, where one image is 1.0 %.",
    ]


def test_a_reduced_study_says_so_in_its_own_words(tree: Any) -> None:
    assert told(tree.study(reduced="10 of 200 epochs.")) == ["10 of 200 epochs."]
    assert told(tree.study(scale="cpu")) == ["This study ran at scale “cpu”, smaller than meant."]
    assert told(tree.study(scale="full")) == []


@pytest.mark.parametrize("status", ["failed", "pending"])
def test_runs_that_are_not_there_are_counted_and_named(tree: Any, status: str) -> None:
    tree.train("baseline", 1)
    absent = {"node": "student", "seed": 2, "axes": {"depth": 8}, "run": "distill/student-0"}

    found = told(tree.study(runs=[*tree.entries, {**absent, "status": status}]))

    assert f"1 of 2 runs is {status}: student, depth = 8, seed 2." in found


def test_many_runs_that_are_not_there_are_named_by_example(tree: Any) -> None:
    absent = [{"node": "student", "seed": seed, "status": "failed"} for seed in range(9)]

    assert told(tree.study(runs=absent)) == [
        "9 of 9 runs are failed: student, seed 0; student, seed 1; student, seed 2; and 6 more."
    ]


@pytest.mark.parametrize(("at_once", "is_told"), [(1, False), (3, True)])
def test_times_per_image_beside_other_runs_are_told(tree: Any, at_once: int, is_told: bool) -> None:
    tree.train("student", 1, summary={"at_once": 4})  # it times nothing that is compared
    tree.evaluate(1, at_once=at_once)

    sentence = (
        "Times per image were measured while up to 3 runs shared the machine, and may be longer "
        "than on an idle one."
    )
    assert (sentence in told(tree.study())) is is_told


def test_mixed_code_versions_are_named(tree: Any) -> None:
    tree.train("baseline", 1, summary={"version": "0.1.0+g1111111"})
    tree.train("student", 1, summary={"version": "0.2.0+g2222222.changed"})

    found = told(tree.study())

    assert "The tables mix 2 code versions: 0.1.0+g1111111; 0.2.0+g2222222.changed." in found
    assert "Code was changed after its last commit: 0.2.0+g2222222.changed." in found


def test_unequal_steps_of_student_and_baseline_are_told(tree: Any) -> None:
    tree.train("baseline", 1, steps=300)
    tree.train("student", 1, steps=900)

    assert (
        "The distilled student and its baseline did not take equally many steps: 900 against 300."
    ) in told(tree.study())


def test_unequal_precision_of_student_and_baseline_is_told(tree: Any) -> None:
    tree.train("baseline", 1, summary={"precision": "fp32"})
    tree.train("student", 1)

    assert (
        "The distilled student and its baseline were computed in different ways: bf16 "
        "channels_last against fp32."
    ) in told(tree.study())


def test_runs_without_a_partner_are_told(tree: Any) -> None:
    tree.train("baseline", 1)
    for seed in (1, 2, 3):
        tree.train("student", seed)

    assert (
        "Of 3 runs of the distilled student or its baseline only 1 pair could be made."
    ) in told(tree.study())


def test_other_settings_under_one_name_and_other_images_are_told(tree: Any) -> None:
    tree.train("student", 1)
    tree.train("student", 2, summary={"pack": "other"})

    found = told(tree.study())

    assert (
        "Runs of one name have different settings or data, and are shown apart: student."
    ) in found
    assert "The tables hold runs on different images." in found


def test_a_model_that_guesses_is_told(tree: Any) -> None:
    tree.train("baseline", 1)
    tree.train("student", 1)
    tree.evaluate(1, top1={"baseline": 0.105, "student": 0.4})

    assert (
        "The baseline is not shown to do better than always naming the most frequent class (10.0 % "
        "of the test images)."
    ) in told(tree.study())


def test_what_always_naming_the_most_frequent_class_reaches_is_no_merit(tree: Any) -> None:
    tree.train("student", 1)
    evaluation = tree.evaluate(1, top1={"student": 0.4})["run"]
    summary = tree.summaries[evaluation]
    for one in summary["evaluations"]:
        one["per_class"][0]["images"] = 9000  # of 18,000
    tree.write(f"{evaluation}/summary.json", summary)

    assert any("most frequent class (50.0 %" in one for one in told(tree.study()))


def test_of_many_settings_the_ones_that_guess_are_named(tree: Any) -> None:
    for depth in range(5):
        tree.train("student", 1, axes={"depth": depth})
        tree.evaluate(1, top1={"student": 0.4 if depth == 2 else 0.1}, axes={"depth": depth})

    (sentence,) = [one for one in told(tree.study()) if "most frequent" in one]

    assert sentence == (
        "4 models are not shown to do better than always naming the most frequent class: the "
        "student, depth = 0; the student, depth = 1; the student, depth = 3; and 1 more."
    )


def test_models_that_nobody_evaluated_are_told(tree: Any) -> None:
    tree.train("student", 1)

    assert ("No model was evaluated on the test split; figures are of validation images.") in told(
        tree.study()
    )


def test_many_looks_at_the_test_split_are_counted(tree: Any) -> None:
    for depth in (8, 14, 20):
        tree.train("student", 1, axes={"depth": depth})
        tree.evaluate(1, top1={"student": 0.5}, axes={"depth": depth})

    assert any(one.startswith("3 kinds of student were looked at") for one in told(tree.study()))


def test_what_runs_noted_is_told_once_with_its_runs(tree: Any) -> None:
    for seed in (1, 2):
        tree.train("student", seed, summary={"skipped": {"truncated": 12}, "notes": ["Look."]})
    tree.train("baseline", 1)
    with (tree.root / tree.entries[-1]["run"] / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 901, "lo')

    found = told(tree.study())

    assert "Look. (student, seed 1; student, seed 2)" in found
    assert "12 files left out: truncated. (student, seed 1; student, seed 2)" in found
    assert "metrics.jsonl: the last line is torn and was left out. (baseline, seed 1)" in found


def test_steps_that_were_not_finite_are_told(tree: Any) -> None:
    entry = tree.train("student", 1)
    line = '{"step": 1, "phase": "train", "loss": null, "spoiled_steps": 3}\n'
    tree.write(f"{entry['run']}/metrics.jsonl", line)

    assert "student, seed 1: 3 steps were not finite and changed nothing." in told(tree.study())


def test_what_holds_in_many_settings_is_told_once(tree: Any) -> None:
    for depth in range(6):
        tree.train("baseline", 1, steps=300, axes={"depth": depth})
        tree.train("student", 1, steps=900, axes={"depth": depth})

    assert (
        "Student and baseline did not take equal steps in 6 settings: depth = 0; depth = 1; "
        "depth = 2; and 3 more."
    ) in told(tree.study())


def test_many_baselines_in_one_setting_are_each_named(tree: Any) -> None:
    names = [f"baseline {number}" for number in range(5)]
    for name in names:
        tree.train(name, 1, steps=300, stage="train", summary={"parameters": 78_042})
    tree.train("student", 1, steps=900)

    found = [one for one in told(tree.study()) if "equally many steps" in one]

    assert len(found) == 5
    assert all(any(name in one for one in found) for name in names)


def test_a_teacher_weaker_than_the_baseline_is_told(tree: Any) -> None:
    for name in ("baseline", "teacher", "student"):
        tree.train(name, 1)
    tree.evaluate(1, top1={"baseline": 0.5, "teacher": 0.4, "student": 0.3})

    assert (
        "The teacher is weaker than the baseline: 40.0 % against 50.0 % on the test images."
    ) in told(tree.study())
