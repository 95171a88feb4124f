"""Frozen features, judged by one protocol: which labels are known, which are counted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.packs import open_pack

from understudy.core.errors import DataError, UsageError
from understudy.core.seeds import derived_seed
from understudy.core.settings import checked
from understudy.data.labels import FewLabelsSettings, few_labels
from understudy.data.pack import Pack
from understudy.data.sources.digits import DigitsSettings
from understudy.data.splits import Splits, SplitSettings, split
from understudy.evaluation.knn import NearestSettings, nearest_accuracy
from understudy.evaluation.probe import Features, ProbeSettings, linear_probe
from understudy.stages.launch import Launched
from understudy.stages.material import LABELS
from understudy.stages.observers import features_on
from understudy.stages.probing import ProbingSettings, doubts_of, known_labels, notes_of, probed
from understudy.stages.restore import restored

Launcher = Callable[..., Launched]
ALL = ProbingSettings(labels=FewLabelsSettings())


@pytest.fixture(scope="module")
def pack(shared: Path) -> Pack:
    return open_pack(DigitsSettings(), shared=shared)


@pytest.fixture(scope="module")
def splits(pack: Pack) -> Splits:
    return split(pack, SplitSettings())


@pytest.fixture
def others(tmp_path: Path) -> dict[str, Any]:
    """Grey images that no run has seen: two classes, told apart by their brightness."""
    random = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 180)):
        (tmp_path / "others" / name).mkdir(parents=True)
        for number in range(30):
            pixels = random.normal(level, 20, (8, 8)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "others" / name / f"{number}.png")
    return {"path": str(tmp_path / "others"), "channels": "grey"}


def test_shares_are_nested_balanced_and_those_that_a_fine_tuning_would_draw(
    pretrained: Launched, pack: Pack, splits: Splits
) -> None:
    model = restored(pretrained.run.path, "last")
    known = known_labels(pretrained.run.path, model, pack, splits, ALL)

    few, more = (known.share(share, pack) for share in (0.01, 0.1))

    assert known.train.tolist() == splits.train.tolist()
    assert set(few.train) < set(more.train) < set(known.train)
    assert set(few.validation) <= set(more.validation) < set(known.validation)
    counts = np.bincount(pack.labels[more.train], minlength=10)
    assert counts.tolist() == [count // 10 for count in np.bincount(pack.labels[splits.train])]
    assert np.bincount(pack.labels[few.train]).tolist() == [1] * 10
    drawn = few_labels(
        pack.labels,
        splits.train,
        classes=pack.classes,
        settings=FewLabelsSettings(fraction=0.1),
        split="train",
        seed=derived_seed(0, LABELS),
    )
    assert more.train.tolist() == drawn.tolist()


def test_another_seed_draws_other_labels_and_one_number_the_same(
    pretrained: Launched, pack: Pack, splits: Splits
) -> None:
    model = restored(pretrained.run.path, "last")

    def drawn(run_seed: int, labels_seed: int | None) -> list[int]:
        of_seed = model._replace(summary={**model.summary, "seed": run_seed})
        asked = ProbingSettings(labels=FewLabelsSettings(per_class=5, seed=labels_seed))
        found = known_labels(pretrained.run.path, of_seed, pack, splits, asked)
        return [int(place) for place in found.train]

    assert drawn(1, None) == drawn(1, None) != drawn(2, None)
    assert drawn(1, 7) == drawn(2, 7)
    own = json.loads((pretrained.run.path / "data" / "splits.json").read_text())
    assert drawn(0, None) == own["labelled"]


def test_the_labels_of_the_images_that_are_asked_about_change_the_score_alone(
    pretrained: Launched, pack: Pack, splits: Splits
) -> None:
    path = pretrained.run.path
    model = restored(path, "last")
    known = known_labels(path, model, pack, splits, ProbingSettings())
    lied = pack.labels.copy()
    lied[splits.test] = (lied[splits.test] + 1) % 10

    honest = probed(path, model, known, pack, splits.test, ProbingSettings())
    other = probed(path, model, known, pack._replace(labels=lied), splits.test, ProbingSettings())

    assert honest["linear_top1"] > 0.3 > other["linear_top1"]
    for key in ("labels", "linear_strength", "linear_validation", "features"):
        assert honest[key] == other[key]
    assert [one["linear_strength"] for one in honest["shares"]] == [
        one["linear_strength"] for one in other["shares"]
    ]


def test_the_figures_are_those_of_clean_features_of_the_images_that_are_known(
    pretrained: Launched, pack: Pack, splits: Splits
) -> None:
    path = pretrained.run.path
    model = restored(path, "last")
    known = known_labels(path, model, pack, splits, ALL)
    few = known.share(0.1, pack)

    found = probed(path, model, known, pack, splits.test, ALL)

    for told, part in ((found, known), (found["shares"][1], few)):
        train, validation, asked = (
            Features(features_on(model.network, pack, some, size=8), pack.labels[some])
            for some in (part.train, part.validation, splits.test)
        )
        linear = linear_probe(train, validation, asked, settings=ProbeSettings())
        assert told["linear_top1"] == linear.test
        assert told["linear_top5"] == linear.test_top5
        assert told["linear_validation"] == linear.validation
        for one in told["knn"]:
            nearest = nearest_accuracy(
                asked.values,
                asked.labels,
                bank=train.values,
                bank_labels=train.labels,
                num_classes=10,
                settings=NearestSettings(neighbours=one["neighbours"]),
            )
            assert one["top1"] == pytest.approx(nearest)


def test_every_label_is_counted_that_the_probe_or_the_network_has_read(
    go: Launcher, pretrained: Launched, teacher: Launched, tmp_path: Path
) -> None:
    models = [str(pretrained.run.path), str(teacher.run.path)]

    evaluation = go(
        "evaluate",
        root=tmp_path,
        models=models,
        probe={"classifiers": True, "labels": {"per_class": 10, "validation_per_class": 2}},
    )

    backbone, classifier = evaluation.summary["probes"]
    assert backbone["labels"] == {"train": 100, "validation": 20}
    assert classifier["labels"] == {"train": 100, "validation": 50}, "it chose among 50 before"
    few = next(one for one in classifier["shares"] if one["share"] == 0.01)
    assert 50 <= few["labels"]["train"] <= 60, "the probe knows ten, the network read fifty"
    assert few["known"] == 10
    assert backbone["shares"][0]["labels"] == {"train": 10, "validation": 10}
    assert [one["run"].split("/")[0] for one in evaluation.summary["evaluations"]] == [
        "finetune",
        "finetune",
    ]
    assert classifier["checkpoint"] == "last"
    for one in (backbone, classifier):
        assert one["linear_top5"] >= one["linear_top1"]
        assert [each["voting"] for each in one["knn"]] == [20, 100]
    notes = evaluation.summary["notes"]
    assert any(
        "1 % of the labels is less than one image of 10 of 10 classes" in one for one in notes
    )
    assert any("100 at 100 % of the labels, 10 at 10 % of the labels" in one for one in notes)


def test_features_of_other_images_are_probed_with_labels_of_these(
    go: Launcher, pretrained: Launched, tmp_path: Path, others: dict[str, Any]
) -> None:
    asked = {"root": tmp_path, "data": others, "models": [str(pretrained.run.path)]}

    with pytest.raises(UsageError, match=r"probe\.labels\.fraction=1"):
        go("evaluate", **asked)
    evaluation = go("evaluate", **asked, probe={"labels": {"fraction": 1}})

    (probe,) = evaluation.summary["probes"]
    assert probe["linear_top1"] == 1, "brightness determines the class"
    assert [one["top1"] for one in probe["knn"]] == [1, 1] or probe["knn"][0]["top1"] > 0.9
    assert probe["linear_top5"] is None, "of two classes"
    assert sum(probe["labels"].values()) == 48, "all but the twelve test images"


def test_an_ensemble_is_evaluated_and_its_lack_of_features_is_noted(
    go: Launcher, baseline: Launched, tmp_path: Path
) -> None:
    other = go("train", root=tmp_path, seed=1)
    both = go("ensemble", root=tmp_path, members=[str(baseline.run.path), str(other.run.path)])

    evaluation = go(
        "evaluate", root=tmp_path, models=[str(both.run.path)], probe={"classifiers": True}
    )

    assert evaluation.summary["probes"] == []
    assert len(evaluation.summary["evaluations"]) == 1
    assert any("has no features of its own" in note for note in evaluation.summary["notes"])


def test_a_class_that_no_label_names_is_noted(
    pretrained: Launched, pack: Pack, splits: Splits
) -> None:
    path = pretrained.run.path
    known = known_labels(path, restored(path, "last"), pack, splits, ALL)
    lacking = known._replace(train=known.train[pack.labels[known.train] != 4])

    notes = list(notes_of(lacking, pack, ALL))

    assert notes[0] == "No labelled image of '4': no probe can name it."
    assert not any("No labelled" in note for note in notes_of(known, pack, ALL))


@pytest.mark.parametrize(
    "wrong",
    [{"shares": [0.1, 0.01]}, {"shares": [1.0]}, {"neighbours": [20, 20]}, {"neighbours": []}],
)
def test_a_protocol_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        checked(ProbingSettings, wrong, origin="test")


def test_a_fine_tuning_starts_from_the_first_layer_of_the_projector(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    """With a learning rate of nearly nothing, what is saved is what it started from."""
    lars = {"kind": "lars", "learning_rate": 1e-12, "weight_decay": 0, "spared": ["classifier"]}
    tuned = go(
        "finetune",
        root=tmp_path,
        start=str(pretrained.run.path),
        from_projector=1,
        zero_classifier=True,
        plan={"steps": 2, "batch_size": 32, "optimizer": lars},
    )
    student = go("distill", root=tmp_path, teacher=str(tuned.run.path))
    evaluation = go(
        "evaluate",
        root=tmp_path,
        models=[str(tuned.run.path), str(student.run.path)],
        probe={"classifiers": True},
    )
    exported = go("export", root=tmp_path, model=str(tuned.run.path))

    before, after = (
        load_file(one.run.path / "checkpoints" / "last" / "model.safetensors")
        for one in (pretrained, tuned)
    )
    for name in ("layers.0.weight", "layers.1.weight", "layers.1.bias"):
        assert torch.allclose(before[f"projector.{name}"], after[f"hidden.{name}"], atol=1e-8)
    assert after["classifier.weight"].abs().max() < 1e-6
    width = before["projector.layers.0.weight"].shape[0]
    assert after["classifier.weight"].shape == (10, width)
    assert evaluation.summary["probes"][0]["features"] == width
    assert exported.summary["parity"]["agreement"] == 1


def test_layers_that_are_not_there_cannot_be_kept(
    go: Launcher, pretrained: Launched, baseline: Launched, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="Set at most 1"):
        go("finetune", root=tmp_path, start=str(pretrained.run.path), from_projector=2)
    with pytest.raises(UsageError, match="has no projector"):
        go("finetune", root=tmp_path, start=str(baseline.run.path), from_projector=1)


def test_features_for_other_channels_are_refused_before_any_work(
    go: Launcher, pretrained: Launched, tmp_path: Path, others: dict[str, Any]
) -> None:
    colours = {**others, "channels": "rgb"}
    with pytest.raises(DataError, match="1 channels; these have 3"):
        go("evaluate", root=tmp_path, data=colours, models=[str(pretrained.run.path)])


def test_a_solver_that_was_stopped_and_images_that_chose_are_told(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    models = [str(pretrained.run.path)]
    short = {"linear": {"iterations": 1}, "shares": [0.5]}
    hasty = go("evaluate", root=tmp_path, models=models, on="val", probe=short)

    stopped, flatters = (
        "was stopped at 1 (`probe.linear.iterations`) with a share of 1, 0.5",
        "figures flatter",
    )
    assert any(stopped in note for note in hasty.summary["notes"])
    assert any(flatters in note for note in hasty.summary["notes"])
    done = {"linear_converged": True, "linear_strength": 0.01}
    assert not list(doubts_of({**done, "shares": [{"share": 0.5, **done}]}, ALL, on="test"))


def test_a_regularisation_at_an_end_of_the_grid_is_told() -> None:
    """Where all labels were known; with few, equally good strengths often lead to the smallest."""
    inside = {"linear_converged": True, "linear_strength": 0.01}
    ends = [{**inside, "linear_strength": one} for one in (0.0001, 1.0)]

    smallest, largest = (list(doubts_of({**one, "shares": []}, ALL, on="test")) for one in ends)

    assert ["chose the smallest, 0.0001, with all labels" in one for one in smallest] == [True]
    assert ["chose the largest, 1, with all labels" in one for one in largest] == [True]
    few = [{"share": 0.1, **one} for one in ends]
    assert not list(doubts_of({**inside, "shares": few}, ALL, on="test"))
    alone = ProbingSettings(linear=ProbeSettings(strengths=(0.01,)))
    assert not list(doubts_of({**inside, "shares": []}, alone, on="test"))
