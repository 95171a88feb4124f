from pathlib import Path
from typing import Any

from understudy.results.comparison import comparison
from understudy.results.find import find
from understudy.results.findings import findings


def told(path: Path, kind: str) -> list[str]:
    record = find(path)
    return [one.text for one in findings(record, comparison(record)) if one.kind == kind]


def fill(tree: Any, levels: dict[str, tuple[float, ...]], **evaluation: Any) -> Path:
    """A study with a test accuracy for each name and seed."""
    for place in range(len(next(iter(levels.values())))):
        for name in levels:
            tree.train(name, place + 1)
        top1 = {name: values[place] for name, values in levels.items()}
        tree.evaluate(place + 1, top1=top1, **evaluation)
    return Path(tree.study())


def test_a_gain_is_told_with_its_interval_and_its_pairs(study: Path) -> None:
    assert told(study, "result")[0] == (
        "The distilled student beats its baseline by +7.8 points in test accuracy (95 % interval "
        "+6.9 to +8.7, 3 paired seeds; 53.4 % against 45.6 %). At the checkpoint best on "
        "validation: +7.8 points (95 % interval +6.9 to +8.7)."
    )


def test_an_interval_that_holds_zero_is_told_as_no_difference_shown(study: Path) -> None:
    assert told(study, "result")[1].startswith(
        "No difference shown in test accuracy between the distilled student and its teacher: "
        "+1.1 points (95 % interval −1.2 to +3.3, 3 paired seeds)."
    )


def test_a_loss_is_told_as_a_loss(tree: Any) -> None:
    path = fill(tree, {"baseline": (0.5, 0.51, 0.52), "student": (0.4, 0.41, 0.43)})

    assert told(path, "result")[0].startswith(
        "The distilled student is behind its baseline by −9.7 points in test accuracy"
    )


def test_one_seed_is_told_without_spread_or_verdict(tree: Any) -> None:
    path = fill(tree, {"baseline": (0.45,), "student": (0.53,)})

    (sentence,) = told(path, "result")

    assert sentence == (
        "With one seed, the distilled student differs from its baseline by +8.0 points in test "
        "accuracy (53.0 % against 45.0 %). At the checkpoint best on validation: +8.0 points."
    )
    assert "±" not in sentence


def test_that_one_seed_shows_no_spread_is_said_once(tree: Any) -> None:
    path = fill(tree, {"baseline": (0.45,), "teacher": (0.6,), "student": (0.53,)})

    assert len(told(path, "result")) == 2
    every = [*told(path, "result"), *told(path, "fact"), *told(path, "caution")]
    assert [one for one in every if "no spread" in one] == [
        "One seed shows no spread, so nothing tells whether another would show the same."
    ]


def test_without_test_figures_validation_is_told_as_such(tree: Any) -> None:
    for seed in (1, 2, 3):
        tree.train("baseline", seed)
        tree.train("student", seed)

    assert "in validation accuracy" in told(tree.study(), "result")[0]


def test_a_teacher_of_each_seed_is_no_caution(study: Path) -> None:
    assert not any("One teacher stands" in one for one in told(study, "caution"))


def test_many_settings_are_counted(tree: Any) -> None:
    for depth in range(6):
        for seed in (1, 2, 3):
            axes = {"depth": depth}
            tree.train("baseline", seed, axes=axes)
            tree.train("student", seed, axes=axes)
            gain = 0.02 * (depth - 1) + 0.001 * seed
            tree.evaluate(seed, top1={"baseline": 0.4, "student": 0.4 + gain}, axes=axes)

    assert told(tree.study(), "result") == [
        "Over 6 settings, distillation beats its baseline in 4 (depth = 2; depth = 3; depth = 4; "
        "and 1 more), is behind its baseline in 1 (depth = 0) and shows no difference in 1 (test "
        "accuracy, last checkpoint, 95 % intervals over paired seeds). Differences run from "
        "−1.8 points (depth = 0) to +8.2 points (depth = 5)."
    ]


def test_of_many_settings_it_is_told_where_one_run_stood_against_all_seeds(tree: Any) -> None:
    for depth in range(6):
        axes = {"depth": depth}
        shared = tree.train("teacher", 0, axes=axes)
        tree.entries.remove(shared)
        for seed in (1, 2, 3):
            tree.entries.append({**shared, "seed": seed})
            parents = {"teacher": {key: shared[key] for key in ("identity", "run")}}
            tree.train("student", seed, axes=axes, summary={"parents": parents})
            top1 = {"teacher": 0.5, "student": 0.4 + 0.001 * seed}
            tree.evaluate(seed, top1=top1, axes=axes)

    path = tree.study()
    (against_teacher,) = told(path, "result")

    assert "95 % intervals over seeds against one run)" in against_teacher
    assert any(one.startswith("One teacher stands against all") for one in told(path, "caution"))


def test_facts_are_told_from_summaries_and_logs(study: Path) -> None:
    assert told(study, "fact") == [
        "The distilled student has 78 k parameters, 63 times fewer than its teacher's 4.9 M.",
        "Exported, the distilled student answers one image in 0.31 ms on one thread, its teacher "
        "in 4.62 ms.",
        "The distilled student answers like its teacher on 81.0 % of the test images.",
        "Student and baseline took equally many steps: 900 each.",
        "During pretraining the k-NN accuracy of the frozen features rose from 21.1 % to 40.0 % "
        "(mean of 3 runs).",
        "Every exported file answers like its trained model on all 512 images compared (largest "
        "difference of two logits 1e-05; batches of 1, 2, 7 and 32).",
        "Test figures come from 10,000 images, which tell an accuracy of 53.4 % to within 52.4 % "
        "to 54.4 % (95 % interval over images).",
        "12 trainings took 12 min 18 s together.",
    ]


def test_the_steps_of_a_run_that_went_on_from_another_count_both(tree: Any) -> None:
    for node, steps in (("baseline", 900), ("teacher", 300)):
        tree.train(node, 1, steps=steps)
    before = tree.train("features", 1, steps=400, stage="distill")
    start = {"run": before["run"], "identity": before["identity"], "checkpoint": "last"}
    tree.train("student", 1, steps=500, summary={"steps_before": 400, "parents": {"start": start}})
    tree.evaluate(1)
    found = told(tree.study(), "fact")

    assert "Student goes on from “features”: 500 steps after 400." in found
    assert "Student and baseline took equally many steps: 900 each." in found


def test_steps_that_early_stopping_makes_differ_are_told_once(tree: Any) -> None:
    for seed, steps in ((1, 300), (2, 900), (3, 520)):
        before = tree.train("pretrain", seed, steps=1800)
        start = {"start": {key: before[key] for key in ("run", "identity")}}
        tree.train("teacher", seed, steps=steps, summary={"steps_before": 1800, "parents": start})

    found = [one for one in told(tree.study(), "fact") if "goes on from" in one]

    assert found == ["Teacher goes on from “pretrain”: 300 to 900 steps after 1,800."]


def test_a_fine_tuning_that_goes_on_from_a_student_is_held_to_the_baseline(tree: Any) -> None:
    """As one that goes on with a teacher's answers is; a fine-tuned pretraining is not."""
    for node, steps in (("baseline", 900), ("pretrain", 800)):
        tree.train(node, 1, steps=steps)
    tree.train("features", 1, steps=400, stage="distill", summary={"checkpoints": {"last": {}}})
    for node, before, steps in (("finetuned", "features", 400), ("teacher", "pretrain", 800)):
        start = next(one for one in tree.entries if one["node"] == before)
        told_of = {"start": {key: start[key] for key in ("run", "identity")}}
        more = {"steps_before": steps, "parents": told_of, "parameters": 78_042}
        tree.train(node, 1, steps=500, stage="finetune", summary=more)
    study = tree.study()

    found = comparison(find(study)).contrasts

    assert {(one.title, one.role) for one in found} == {("finetuned − baseline", "baseline")}
    facts = told(study, "fact")
    assert "Finetuned goes on from “features”: 500 steps after 400." in facts
    assert "Teacher goes on from “pretrain”: 500 steps after 800." in facts
    assert "Student and baseline took equally many steps: 900 each." in facts


def test_the_time_of_trainings_says_how_many_were_done_at_once(tree: Any) -> None:
    tree.train("baseline", 1, summary={"at_once": 2})
    tree.train("student", 1, summary={"at_once": 2})

    assert "2 trainings took 2 min 03 s together, up to 2 of them at once." in told(
        tree.study(), "fact"
    )


def test_an_exported_file_that_differs_is_told_so(tree: Any) -> None:
    tree.train("student", 1)
    entry = tree.export(1)
    summary = tree.summaries[entry["run"]]
    parity = {**summary["parity"], "agreement": 511 / 512}
    tree.write(f"{entry['run']}/summary.json", {**summary, "parity": parity})

    assert any(
        "differs from the trained model on 0.20 %" in one for one in told(tree.study(), "fact")
    )


def test_many_settings_are_counted_apart_for_each_baseline(tree: Any) -> None:
    for temperature in range(5):
        axes = {"temperature": temperature}
        for seed in (1, 2):
            noise = seed / 1000
            tree.train("baseline", seed, axes=axes, validation=0.40 + noise)
            tree.train("augmented", seed, axes=axes, validation=0.60 + noise, stage="train")
            tree.train("student", seed, axes=axes, validation=0.50 + 2 * noise)

    sentences = told(tree.study(), "result")

    assert any("beats its baseline in 5 " in text for text in sentences)
    assert any("is behind “augmented” in 5 " in text for text in sentences)


def test_what_a_student_has_beside_its_network_is_told(tree: Any) -> None:
    grown = {"backbone": 70_000, "neck": 20_000, "classifier": 9_000}
    tree.train("baseline", 1)
    tree.train("student", 1, summary={"parameters": 99_000, "parts": grown})

    assert (
        "The distilled student answers through its teacher's classifier: 20 k of its 99 k "
        "parameters lead to it, and 9.0 k are the classifier's own."
    ) in told(tree.study(), "fact")


def test_students_without_a_classifier_are_told_apart_from_pretrainings(tree: Any) -> None:
    def log(first: float, last: float) -> list[dict[str, Any]]:
        seen = ((1, first), (2, last))
        return [{"step": at, "epoch": at, "phase": "validation", "knn_top1": v} for at, v in seen]

    tree.run("teacher", 1, stage="pretrain", summary={"steps": 2}, metrics=log(0.2, 0.4))
    tree.run("student", 1, stage="distill", summary={"steps": 2}, metrics=log(0.3, 0.8))

    facts = told(tree.study(), "fact")

    assert "During pretraining the k-NN accuracy of the frozen features rose from 20.0 %" in (
        " ".join(facts)
    )
    assert (
        "During distillation of features the k-NN accuracy of the frozen features rose from "
        in (" ".join(facts))
    )


def test_of_two_values_of_an_axis_the_one_that_is_judged_is_named(tree: Any) -> None:
    for seed in (1, 2, 3):
        for value, level in (("fixed", 0.5), ("adaptive", 0.6)):
            axes = {"threshold": value}
            wobble = seed * level / 1000
            tree.train("fixmatch", seed, stage="fixmatch", validation=level + wobble, axes=axes)

    (sentence,) = told(Path(tree.study(reference={"threshold": "fixed"})), "result")

    assert sentence.startswith("threshold = adaptive: “fixmatch” beats “fixed” by +10.0 points")
