"""Every shipped study and recipe is valid, and trains."""

import csv
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from understudy.cli import main
from understudy.core.seeds import derived_seed
from understudy.core.shipped import shipped_folders, shipped_names
from understudy.core.yaml import read_yaml
from understudy.data.labels import FewLabelsSettings, Indices, few_labels
from understudy.data.pack import Pack
from understudy.engine.plan import PlanSettings
from understudy.models.network import NetworkSettings
from understudy.objectives import every_objective
from understudy.results.comparison import comparison
from understudy.results.find import find
from understudy.stages import STAGES
from understudy.stages.finetune import FinetuneSettings
from understudy.stages.material import LABELS
from understudy.stages.pretrain import PretrainSettings
from understudy.stages.probing import Known, ProbingSettings
from understudy.studies.configure import with_words
from understudy.studies.plan import Node, plan
from understudy.studies.study import Study, read_study

RECIPES = Path(__file__).parents[2] / "src" / "understudy" / "recipes"


@pytest.mark.parametrize("name", shipped_names("studies"))
def test_a_shipped_study_can_be_planned_at_every_scale(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = read_study(name)
    for words in ([], *([f"scale={scale}"] for scale in study.scales)):
        assert main(["run", name, *words, "--dry-run"]) == 0

    assert re.search(r"^\d+ runs: ", capsys.readouterr().out, re.MULTILINE)


def planned(name: str) -> list[Node]:
    return list(plan(read_study(name), STAGES).nodes)


WITH_STUDENTS = [
    name
    for name in shipped_names("studies")
    if any(node.stage == "distill" for node in planned(name))
]
WITHOUT_LABELS = {"ssl-benchmark", "ssl-benchmark-finetuned"}
"""Studies of pretrainings without a student."""


@pytest.mark.parametrize("name", WITH_STUDENTS)
def test_every_student_has_a_baseline_that_gets_what_it_gets(name: str) -> None:
    """One that goes on from another's features is given their epochs as well."""
    nodes = planned(name)
    by_key = {node.key: node for node in nodes}
    begun = {node.parents["start"].key for node in nodes if "start" in node.parents}
    taught = {node.key for node in nodes if node.stage == "distill"}
    going_on = [
        node for node in nodes if node.stage == "finetune" and node.parents["start"].key in taught
    ]
    students = [
        *(node for node in nodes if node.stage == "distill" and node.key not in begun),
        *going_on,
    ]

    def epochs(node: Node) -> float:
        own = float(node.settings["plan"]["epochs"])
        start = node.parents.get("start")
        return own if start is None else own + epochs(by_key[start.key])

    def spent(node: Node) -> tuple[object, ...]:
        settings = node.settings
        shown = settings.get("epochs_over", "labelled")
        network = by_key[node.parents["start"].key].settings if node in going_on else settings
        return (
            network.get("backbone", network.get("student")),
            settings.get("transfer", "pool") if node.stage == "distill" else shown,
            *(settings.get(key) for key in ("data", "split", "labels", "size", "views")),
            {**settings["plan"], "epochs": epochs(node)} if "epochs" in settings["plan"] else None,
            node.seed,
        )

    def shown_without_labels(node: Node) -> tuple[object, ...]:
        """Its baseline learns by itself, in batches and with an optimizer of its own."""
        settings = node.settings
        return (
            settings.get("backbone", settings.get("student")),
            *(settings.get(key) for key in ("data", "split", "size", "views")),
            settings["plan"]["epochs"],
            node.seed,
        )

    def beside_labels(node: Node) -> tuple[object, ...]:
        """From one start, with one head, through the same views."""
        settings = node.settings
        return (
            node.parents["start"].key,
            settings.get("transfer", "pool")
            if node.stage == "distill"
            else settings.get("epochs_over", "labelled"),
            *(settings.get(key) for key in ("data", "split", "labels", "size", "views", "head")),
            *(settings.get(key) for key in ("frozen", "last_stages", "stored_views", "plan")),
            node.seed,
        )

    baselines = [spent(node) for node in nodes if node.stage == "train"]
    by_labels = [beside_labels(node) for node in nodes if node.stage == "finetune"]
    alone = [shown_without_labels(node) for node in nodes if node.stage == "pretrain"]
    assert students
    assert all(
        spent(each) in baselines
        or (has_no_classifier(each) and shown_without_labels(each) in alone)
        or (each not in going_on and "start" in each.parents and beside_labels(each) in by_labels)
        for each in students
    )


def test_fixmatch_learns_from_as_many_images_in_as_many_steps_as_the_student() -> None:
    for scale in read_study("few-labels-fixmatch").scales:
        study = with_words(read_study("few-labels-fixmatch"), [f"scale={scale}"])
        nodes = plan(study, STAGES).nodes
        (student,) = (node.settings for node in nodes if node.name == "student")
        roads = [node.settings for node in nodes if node.name == "fixmatch"]

        assert len(roads) == 2
        for fixmatch in roads:
            in_step = fixmatch["plan"]["batch_size"] * (1 + fixmatch["unlabeled_ratio"])
            assert in_step == student["plan"]["batch_size"]
            steps = [
                one["plan"]["epochs"] / one["plan"]["batch_size"] for one in (fixmatch, student)
            ]
            assert steps[0] == pytest.approx(steps[1])
            assert fixmatch["epochs_over"] == student.get("transfer", "pool") == "pool"
            assert fixmatch["labels"]["per_class"] == student["labels"]["per_class"]


def test_of_a_thousand_images_the_average_of_fixmatch_has_forgotten_how_it_began() -> None:
    for scale in read_study("few-labels-fixmatch").scales:
        study = with_words(read_study("few-labels-fixmatch"), [f"scale={scale}"])
        roads = [node for node in plan(study, STAGES).nodes if node.name == "fixmatch"]

        for settings in (PlanSettings.model_validate(one.settings["plan"]) for one in roads):
            assert settings.average is None or settings.average ** settings.over(1000).steps < 0.1


def test_a_frozen_network_of_photographs_is_asked_about_each_image_once() -> None:
    """Else its forward pass at every step is nearly all that 60 baselines cost."""
    nodes = plan(read_study("simclr-s2-imagenet"), STAGES).nodes
    found = [node.settings for node in nodes if node.name == "supervised_imagenet"]

    assert len(found) == 60
    assert all(one["frozen"] and one["stored_views"] == 1 for one in found)


def has_no_classifier(student: Node) -> bool:
    """Whether its objectives read features alone."""
    terms = student.settings.get("terms", [])
    return {term["kind"] for term in terms} <= {"regression", "queue"} and bool(terms)


def test_studies_without_a_student_are_known() -> None:
    assert set(shipped_names("studies")) == {*WITH_STUDENTS, *WITHOUT_LABELS}


@pytest.mark.parametrize("name", sorted(WITHOUT_LABELS))
def test_every_pretraining_of_a_benchmark_gets_what_the_others_get(name: str) -> None:
    nodes = [node for node in planned(name) if node.stage == "pretrain"]
    keys = ("data", "split", "labels", "size", "backbone")
    plans = ("epochs", "batch_size", "observations")

    for node in nodes:  # a recipe's learning rate is that of its batch
        recipe = read_yaml(RECIPES / "pretrain" / f"{node.axes['method']['recipe']}.yaml")
        assert recipe["plan"]["batch_size"] == node.settings["plan"]["batch_size"]
    assert len({node.axes["method"]["name"] for node in nodes}) == 8
    assert len({repr([node.settings.get(key) for key in keys]) for node in nodes}) == 1
    assert len({repr([node.settings["plan"].get(key) for key in plans]) for node in nodes}) == 1


@pytest.mark.parametrize("name", sorted(WITHOUT_LABELS))
def test_a_benchmark_says_how_much_smaller_its_network_is_on_a_processor(name: str) -> None:
    def parameters(study: Study) -> int:
        node = next(node for node in plan(study, STAGES).nodes if node.stage == "pretrain")
        network = NetworkSettings(
            backbone=PretrainSettings.model_validate(node.settings).backbone,
            channels=3,
            size=32,
            classes=None,
            projector=None,
        )
        return sum(weight.numel() for weight in network.empty().parameters())

    full, cpu = (with_words(read_study(name), [f"scale={scale}"]) for scale in ("full", "cpu"))

    told = re.search(r"ResNet-(\d+) of a (\d+)th of the parameters", cpu.reduced or "")
    assert told
    assert int(told[1]) == cpu.parameters["backbone"]["depth"]
    assert int(told[2]) == round(parameters(full) / parameters(cpu))


@pytest.mark.parametrize("scale", ["full", "cpu", "smoke"])
def test_fine_tunings_go_on_from_the_very_pretrainings_of_the_benchmark(scale: str) -> None:
    alone, tuned = (
        plan(with_words(read_study(name), [f"scale={scale}"]), STAGES).nodes
        for name in ("ssl-benchmark", "ssl-benchmark-finetuned")
    )

    known = {node.key for node in alone if node.stage == "pretrain"}
    assert {node.key for node in tuned if node.stage == "pretrain"} == known
    started = [node.parents["start"].key for node in tuned if node.stage == "finetune"]
    assert sorted(started) == sorted([*known, *known])


def test_fine_tunings_of_the_benchmark_are_simclr_v2s() -> None:
    recipe = read_yaml(RECIPES / "finetune" / "simclr-v2.yaml")
    nodes = [node for node in planned("ssl-benchmark-finetuned") if node.stage == "finetune"]

    for node in nodes:
        settings = node.settings
        assert settings["from_projector"] == 1
        assert {key: settings[key] for key in ("views", "zero_classifier")} == {
            key: recipe[key] for key in ("views", "zero_classifier")
        }
        assert {**settings["plan"], "epochs": 60} == recipe["plan"]
    spent = {
        (node.settings["labels"]["fraction"], node.settings["plan"]["epochs"]) for node in nodes
    }
    assert spent == {(0.01, 60), (0.1, 30)}


@pytest.mark.parametrize("scale", ["full", "cpu", "smoke"])
def test_a_fine_tuning_of_the_benchmark_reads_what_a_probe_of_its_share_knows(scale: str) -> None:
    nodes = plan(
        with_words(read_study("ssl-benchmark-finetuned"), [f"scale={scale}"]), STAGES
    ).nodes
    labels = np.repeat(np.arange(4), 500)
    splits = {"train": np.arange(0, 2000, 2), "val": np.arange(1, 2000, 2)}
    pack = cast(Pack, SimpleNamespace(labels=labels, classes=tuple("abcd")))

    def drawn(split: str, settings: FewLabelsSettings, seed: int) -> Indices:
        name: Any = split
        return few_labels(
            labels, splits[split], classes="abcd", settings=settings, split=name, seed=seed
        )

    pretrained = {node.key: node for node in nodes if node.stage == "pretrain"}
    evaluated = {node.parents["models[0]"].key: node for node in nodes if node.stage == "evaluate"}
    read: dict[tuple[int | None, float], set[bytes]] = {}
    for node in (node for node in nodes if node.stage == "finetune"):
        tuned = FinetuneSettings.model_validate({**node.settings, "start": "runs/pretrain"})
        start = node.parents["start"].key
        probe = ProbingSettings.model_validate(evaluated[start].settings["probe"])
        assert probe.labels is not None
        asked = probe.labels.seed
        own = pretrained[start].seed if asked is None else asked
        seed = derived_seed(own or 0, LABELS)
        known = Known(drawn("train", probe.labels, seed), drawn("val", probe.labels, seed), seed)
        fraction = tuned.labels.fraction or 1.0

        few = known.share(fraction, pack)

        assert fraction in probe.shares
        for name, images in zip(splits, few[:2], strict=True):
            assert (images == drawn(name, tuned.labels, tuned.stream(LABELS))).all()
        read.setdefault((node.seed, fraction), set()).add(few.train.tobytes())
    assert all(len(draws) == 1 for draws in read.values())  # whatever the method
    assert len(set.union(*read.values())) == len(read)  # of each seed its own


@pytest.mark.parametrize("folder", [name for name in shipped_folders() if name != "studies"])
def test_a_recipe_is_of_its_stage_and_says_how_to_run_it(folder: str) -> None:
    for name in shipped_names(folder):
        path = RECIPES / folder / f"{name}.yaml"

        assert read_yaml(path)["stage"] == folder
        assert f"understudy {folder} {name}" in path.read_text()


@pytest.mark.slow
def test_the_main_job_runs_at_its_smallest_and_again_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "digits", "scale=smoke", "seeds=1", "--runs", str(tmp_path / "runs")]

    assert main(words) == 0
    first = capsys.readouterr()
    assert main(words) == 0
    second = capsys.readouterr()

    folders = list((tmp_path / "runs" / "studies").iterdir())
    assert len(folders) == 1
    rows = (folders[0] / "rows.csv").read_text().splitlines()
    assert rows[0].startswith("study,stage,name,checkpoint,seed")
    assert "student" in first.out
    assert "Nothing new" in second.err
    assert (folders[0] / "report.html").exists()


@pytest.mark.slow
def test_two_studies_share_the_run_of_a_common_ancestor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--runs", str(tmp_path / "runs"), "scale=smoke", "seeds=1"]

    assert main(["run", "digits", *runs]) == 0
    assert main(["run", "digits", "distill.temperature=8", *runs]) == 0

    capsys.readouterr()
    assert len(list((tmp_path / "runs" / "pretrain").glob("pretrain-*"))) == 1
    assert len(list((tmp_path / "runs" / "distill").glob("student-*"))) == 2
    assert len(list((tmp_path / "runs" / "studies").iterdir())) == 2


def test_the_benchmark_has_every_objective_that_learns_from_a_teacher() -> None:
    """And what is tuned is the weight of each, behind the label's."""
    terms = {one["name"]: one["terms"] for one in read_study("kd-benchmark").axes["objective"]}

    kinds = {
        each.model_fields["kind"].default
        for each in every_objective()
        if ".distill." in each.__module__  # not the baseline's, nor those of pretraining
    }
    assert set(terms) == kinds - {"queue"}  # of self-supervised networks, which no label teaches
    assert all(found[0]["kind"] == "label" for found in terms.values())
    assert all(found[1]["kind"] == name for name, found in terms.items())


@pytest.mark.parametrize("scale", ["cpu", "full"])
def test_simkd_has_the_very_teachers_and_baselines_of_the_benchmark(scale: str) -> None:
    among, apart = (
        plan(with_words(read_study(name), [f"scale={scale}"]), STAGES).nodes
        for name in ("kd-benchmark", "kd-benchmark-simkd")
    )

    for name in ("teacher", "baseline"):
        keys = {node.key for node in apart if node.name == name}
        assert keys == {node.key for node in among if node.name == name}
    own = {"method", "terms"}
    theirs, ours = (
        [
            (node.seed, {key: node.settings[key] for key in node.settings.keys() - own})
            for node in nodes
            if node.name == "student"
        ]
        for nodes in (among, apart)
    )
    assert ours
    assert all(student in theirs for student in ours)


@pytest.mark.slow
def test_the_benchmark_runs_on_digits_and_tells_its_objectives_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "run kd-benchmark data.kind=digits labels.per_class=20 labels.validation_per_class=5"
    asked = f"{words} objective=soft_label,dist,review scale=smoke --runs {tmp_path}/runs".split()

    assert main([*asked, "--dry-run"]) == 0
    assert "up to 2 more runs" in capsys.readouterr().out
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert main(asked) == 0
    again = capsys.readouterr()

    (folder,) = (tmp_path / "runs" / "studies").iterdir()
    rows = list(csv.DictReader((folder / "rows.csv").read_text().splitlines()))
    students = {row["axis.objective"] for row in rows if row["name"] == "student"}
    assert students == {"soft_label", "dist", "review"}
    assert all(row["test_top1"] for row in rows)
    tried = list(csv.DictReader((folder / "tuning.csv").read_text().splitlines()))
    assert len(tried) == 3 + 2
    assert "student − soft_label" in " ".join(shown.split())
    assert "terms.1.weight of “student”" in " ".join(shown.split())
    assert "Nothing new to do: all 11 runs" in again.err


@pytest.mark.slow
def test_features_on_other_images_are_told_beside_their_last_batch_and_their_baselines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`simclr-flowers` on drawn images: what learns of each base, and by what it is judged."""
    sets = {
        "data": ["daisy", "dandelion", "roses"],
        "source": ["cat", "dog"],
        "eurosat": ["Forest", "Highway", "River", "SeaLake"],
    }
    for name, classes in sets.items():
        for place, label in enumerate(classes):
            for split, numbers in (("train", range(40)), ("test", range(40, 44))):
                for number in numbers:
                    colour = (60 * place + 20, 200 - 40 * place, number * 5)
                    file = tmp_path / name / split / label / f"{number}.png"
                    file.parent.mkdir(parents=True, exist_ok=True)
                    Image.new("RGB", (16, 16), colour).save(file)
    words = ["run", "simclr-flowers", "scale=smoke", "--runs", str(tmp_path / "runs")]
    words += [f"{name}.path={tmp_path / name}" for name in sets]
    words += [f"{name}.size=16" for name in sets]

    assert main([*words, "source.kind=folder"]) == 0

    capsys.readouterr()
    (folder,) = (tmp_path / "runs" / "studies").iterdir()
    rows = list(csv.DictReader((folder / "rows.csv").read_text().splitlines()))
    last = [row for row in rows if row["checkpoint"] == "last"]
    tuned = [row for row in last if row["stage"] == "finetune"]
    assert {row["name"] for row in tuned} == {"augmented", "teacher", "by_labels", "transferred"}
    for row in tuned:
        assert row["test_top1"]
        assert 0 <= float(row["train_top1"]) <= 1
    assert {row["axis.base"] for row in last if row["name"] == "student"} == {"same", "other"}
    assert all(row["agreement"] for row in last if row["name"] == "student")
    contrasts = comparison(find(folder)).contrasts
    held = {(one.role, one.against.name) for one in contrasts if one.of.name == "student"}
    assert held == {("teacher", "teacher"), ("baseline", "by_labels"), ("reference", "student")}
