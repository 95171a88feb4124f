import json
from pathlib import Path
from typing import Any

import pytest

from understudy.results.comparison import comparison
from understudy.results.find import find


def test_lines_stand_in_study_order_last_before_best(study: Path) -> None:
    lines = comparison(find(study)).lines

    assert [(line.name, line.checkpoint) for line in lines] == [
        *(("baseline", "last"), ("baseline", "best")),
        *(("teacher", "last"), ("teacher", "best")),
        *(("student", "last"), ("student", "best")),
    ]
    assert {len(line.rows) for line in lines} == {3}


def test_the_student_meets_its_baseline_and_its_teacher_at_both_checkpoints(study: Path) -> None:
    contrasts = comparison(find(study)).contrasts

    assert [(one.role, one.checkpoint, one.against.name) for one in contrasts] == [
        *(("baseline", "last", "baseline"), ("teacher", "last", "teacher")),
        *(("baseline", "best", "baseline"), ("teacher", "best", "teacher")),
    ]
    assert list(contrasts[0].differences) == ["test_top1", "test_macro_f1", "val_top1"]


def test_each_setting_of_the_axes_is_a_line_of_its_own(tree: Any) -> None:
    for depth in (8, 14):
        for seed in (1, 2):
            tree.train("baseline", seed, axes={"depth": depth})
            tree.train("student", seed, axes={"depth": depth})

    found = comparison(find(tree.study()))

    assert [(line.axes["depth"], line.name) for line in found.at("last")] == [
        *(("8", "baseline"), ("8", "student"), ("14", "baseline"), ("14", "student"))
    ]
    assert all(one.of.axes == one.against.axes for one in found.contrasts)


def test_a_baseline_without_the_students_axes_serves_every_setting(tree: Any) -> None:
    tree.train("baseline", 1)
    for method in ("soft_label", "dkd"):
        tree.train("student", 1, axes={"method": method})

    contrasts = comparison(find(tree.study())).contrasts

    assert [(one.axes["method"], one.against.axes) for one in contrasts if one.checkpoint == "last"]
    assert {one.against.name for one in contrasts} == {"baseline"}
    assert {one.axes["method"] for one in contrasts} == {"soft_label", "dkd"}


def test_runs_of_one_name_with_other_settings_are_shown_apart(tree: Any) -> None:
    for seed, depth in ((1, 8), (2, 8), (3, 14)):
        tree.train("student", seed, settings={"depth": depth})

    lines = comparison(find(tree.study())).at("last")

    assert [len(line.rows) for line in lines] == [2, 1]


def test_models_of_other_images_are_not_compared(tree: Any) -> None:
    tree.train("baseline", 1, summary={"pack": "other"})
    tree.train("student", 1)

    assert comparison(find(tree.study())).contrasts == ()


def test_a_teacher_that_kept_only_its_best_is_met_at_that(tree: Any) -> None:
    best = {"best": {"step": 200, "val_top1": 0.5}}
    tree.train("teacher", 1, summary={"checkpoints": best})
    tree.train("student", 1)

    contrasts = comparison(find(tree.study())).contrasts

    assert {(one.checkpoint, one.against.checkpoint) for one in contrasts} == {
        ("last", "best"),
        ("best", "best"),
    }


def test_a_teacher_shared_by_all_seeds_is_paired_with_each_and_counted_once(tree: Any) -> None:
    shared = tree.train("teacher", 1)
    tree.entries += [{**shared, "seed": seed} for seed in (2, 3)]
    for seed in (1, 2, 3):
        tree.train("student", seed)

    found = comparison(find(tree.study()))

    teacher = found.at("last")[0]
    cell = teacher.cell("val_top1")
    assert (teacher.name, cell and cell.n, cell and cell.sd) == ("teacher", 1, None)
    assert {one.differences["val_top1"].n for one in found.contrasts} == {3}


def test_a_study_without_runs_has_nothing_to_compare(tree: Any) -> None:
    found = comparison(find(tree.study()))

    assert (found.rows, found.lines, found.contrasts) == ((), (), ())


def test_a_baseline_of_another_network_is_none(tree: Any) -> None:
    tree.train("baseline", 1, summary={"parameters": 4_903_242})
    tree.train("student", 1)

    assert comparison(find(tree.study())).contrasts == ()


def test_a_student_meets_the_teacher_it_learned_from_whatever_its_name(tree: Any) -> None:
    """Two teachers of one name, of other settings: each student has its own."""
    for depth in (8, 14):
        tree.train("teacher", 1, settings={"depth": depth})
        tree.train("student", 1, settings={"depth": depth})

    contrasts = comparison(find(tree.study())).contrasts

    assert len(contrasts) == 4  # two students at two checkpoints
    for one in contrasts:
        assert {row.run for row in one.against.rows} == set(one.of.rows[0].parents)


def test_a_teacher_is_known_by_its_identity_wherever_it_was_when_it_taught(tree: Any) -> None:
    tree.train("teacher", 1)
    run = tree.train("student", 1)["run"]
    path = tree.root / run / "summary.json"
    summary = json.loads(path.read_text())
    summary["parents"]["teacher"]["run"] = "/teacher"
    path.write_text(json.dumps(summary))

    assert {one.role for one in comparison(find(tree.study())).contrasts} == {"teacher"}


def ensemble(tree: Any, name: str, members: list[Any], validation: float) -> None:
    """An ensemble of the best checkpoints of these entries, of no seed and no axes."""
    parents = {
        f"members[{at}]": {"identity": one["identity"], "run": one["run"], "checkpoint": "best"}
        for at, one in enumerate(members)
    }
    last = {"last": {"step": 0, "val_top1": validation}}
    entry = tree.run(name, 1, stage="ensemble", summary={"checkpoints": last, "parents": parents})
    entry["seed"] = None
    summary = tree.summaries[entry["run"]]
    summary.pop("seed")
    tree.write(f"{entry['run']}/summary.json", summary)


def test_an_ensemble_meets_its_members_in_every_seed(tree: Any) -> None:
    ensemble(tree, "ensemble", [tree.train("single", n, stage="train") for n in (1, 2, 3)], 0.9)

    (contrast,) = comparison(find(tree.study())).contrasts

    assert (contrast.role, contrast.of.name, contrast.against.name) == (
        *("member", "ensemble", "single"),
    )
    assert contrast.against.checkpoint == "best", "the one that the ensemble is made of"
    assert contrast.differences["val_top1"].n == 3
    assert contrast.differences["val_top1"].is_with_one_run


def test_an_ensemble_over_an_axis_meets_the_member_of_each_value(tree: Any) -> None:
    members = [
        tree.train("single", 1, stage="train", axes={"depth": depth}, validation=depth / 10)
        for depth in (3, 5)
    ]
    ensemble(tree, "ensemble", members, 0.6)

    found = comparison(find(tree.study())).contrasts

    gains = [(one.axes, round(one.differences["val_top1"].mean, 3)) for one in found]
    assert gains == [({"depth": "3"}, 0.28), ({"depth": "5"}, 0.08)]


def test_an_ensemble_of_students_meets_that_of_their_teachers(tree: Any) -> None:
    teachers = [tree.train("single", seed, stage="train") for seed in (1, 2)]
    students = []
    for seed, teacher in zip((1, 2), teachers, strict=True):
        origin = {"teacher": {"identity": teacher["identity"], "run": teacher["run"]}}
        students.append(
            tree.train("self", seed, stage="distill", summary={"parents": origin}, steps=901)
        )
    ensemble(tree, "of_singles", teachers, 0.6)
    ensemble(tree, "of_selves", students, 0.61)

    found = comparison(find(tree.study())).contrasts

    (met,) = [one for one in found if one.against.stage == "ensemble"]
    assert (met.of.name, met.against.name, met.role) == ("of_selves", "of_singles", "teacher")
    assert met.differences["val_top1"].mean == pytest.approx(0.01)


def test_a_student_with_more_than_its_backbone_meets_the_baseline_of_the_same_backbone(
    tree: Any,
) -> None:
    wide = {"backbone": 90_000, "classifier": 40}
    for seed in (1, 2):
        tree.train("augmented", seed, stage="train", summary={"parts": wide})
        parts = {"backbone": 70_000, "classifier": 8_042}
        tree.train("baseline", seed, summary={"parts": parts})
        grown = {"backbone": 70_000, "neck": 20_000, "classifier": 9_000}
        tree.train("student", seed, summary={"parameters": 99_000, "parts": grown})

    contrasts = comparison(find(tree.study())).contrasts

    assert {(one.role, one.against.name) for one in contrasts} == {("baseline", "baseline")}


def named(method: str) -> dict[str, Any]:
    return {"method": {"name": method, "terms": [{"kind": method}]}, "pair": {"name": "small"}}


def test_every_value_of_an_axis_is_compared_with_the_reference(tree: Any) -> None:
    """Equal in the other axes, at the same checkpoint, and called by the names of the values."""
    for seed in (1, 2, 3):
        tree.train("baseline", seed, validation=0.4 + seed / 1000, axes={"pair": {"name": "small"}})
        for method, level in (("soft_label", 0.5), ("dist", 0.52), ("hints", 0.5)):
            wobble = seed / 1000 if method == "dist" else seed**2 / 1000
            tree.train("student", seed, validation=level + wobble, axes=named(method))

    found = comparison(find(tree.study(reference={"method": "soft_label"})))

    last = [one for one in found.contrasts if one.checkpoint == "last"]
    assert [(one.axes["method"], one.role, one.title) for one in last] == [
        ("soft_label", "baseline", "student − baseline"),
        ("dist", "baseline", "student − baseline"),
        ("dist", "reference", "student − soft_label"),
        ("hints", "baseline", "student − baseline"),
        ("hints", "reference", "student − soft_label"),
    ]
    dist, hints = (one.differences["val_top1"] for one in last if one.role == "reference")
    assert dist.values == pytest.approx((0.02, 0.018, 0.014))
    assert dist.verdict == "better"
    assert hints.verdict == "no difference shown", "equal in all seeds"


def test_what_learned_the_labels_from_the_same_start_is_a_students_baseline(tree: Any) -> None:
    """A frozen base: how good its head is without a teacher is what the student is held to."""
    start = {"start": {"identity": "0" * 12, "run": "pretrain/base-000000000000"}}
    other = {"start": {"identity": "1" * 12, "run": "pretrain/base-111111111111"}}
    for seed in (1, 2):
        tree.train("by_labels", seed, stage="finetune", summary={"parents": start})
        tree.train("elsewhere", seed, stage="finetune", summary={"parents": other})
        tree.train("student", seed, summary={"parents": start, "parameters": 100_000})

    contrasts = comparison(find(tree.study())).contrasts

    assert {(one.role, one.of.name, one.against.name) for one in contrasts} == {
        ("baseline", "student", "by_labels")
    }


def test_a_student_is_held_to_fixmatch_and_both_to_the_baseline(tree: Any) -> None:
    for name, stage in (("baseline", "train"), ("fixmatch", "fixmatch"), ("student", "distill")):
        tree.train(name, 1, stage=stage, summary={"parameters": 78_042})

    contrasts = comparison(find(tree.study())).contrasts

    last = [one for one in contrasts if one.checkpoint == "last"]
    assert [(one.role, one.title) for one in last] == [
        ("baseline", "fixmatch − baseline"),
        ("baseline", "student − baseline"),
        ("baseline", "student − fixmatch"),
    ]


def test_a_student_is_held_to_fixmatch_at_every_value_of_an_axis_of_its_own(tree: Any) -> None:
    for label in ("few", "many"):
        axes = {"labels": label}
        tree.train("student", 1, stage="distill", axes=axes, summary={"parameters": 78_042})
        for threshold in ("fixed", "adaptive"):
            tree.train(
                "fixmatch",
                1,
                stage="fixmatch",
                axes={**axes, "threshold": threshold},
                summary={"parameters": 78_042},
            )

    contrasts = comparison(find(tree.study())).contrasts

    last = [one for one in contrasts if one.checkpoint == "last" and one.of.name == "student"]
    assert [(one.title, one.axes, one.against.axes) for one in last] == [
        ("student − fixmatch", axes, axes)
        for label in ("few", "many")
        for threshold in ("fixed", "adaptive")
        for axes in [{"labels": label, "threshold": threshold}]
    ]


def test_equal_runs_under_two_names_are_met_once(tree: Any) -> None:
    teacher = tree.train("teacher", 1)
    tree.entries.append({**teacher, "node": "augmented", "axes": {"augment": "all"}})
    tree.train("student", 1)

    contrasts = comparison(find(tree.study())).contrasts

    assert [(one.role, one.against.name) for one in contrasts if one.checkpoint == "last"] == [
        ("teacher", "teacher")
    ]


def test_parts_of_a_study_that_share_no_axis_stand_apart(tree: Any) -> None:
    for value in ("a", "b"):
        tree.train("augmented", 1, stage="finetune", axes={"augment": value})
        tree.train("transferred", 1, stage="finetune", axes={"task": value})
        tree.train("larger", 1, stage="finetune", axes={"task": value, "batch": 32})

    lines = comparison(find(tree.study())).at("last")

    assert [line.name for line in lines] == [
        *("augmented", "augmented"),
        *("transferred", "larger", "transferred", "larger"),
    ]


def test_a_student_that_is_not_done_makes_no_student_of_what_began_with_nothing(tree: Any) -> None:
    tree.train("teacher", 1)
    tree.train("transferred", 1, stage="finetune")
    pending = {"run": "", "identity": "", "status": "pending", "error": None}
    tree.entries.append({"node": "student", "stage": "distill", "seed": 1, "axes": {}, **pending})

    found = comparison(find(tree.study()))

    assert not any(row.is_student for row in found.rows)
    assert found.contrasts == ()
