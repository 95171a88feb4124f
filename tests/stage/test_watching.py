"""What a pretraining sees of its own features, and what it says when they collapse."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.packs import open_pack
from torch import Tensor

from understudy.core.errors import InterruptedRunError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.core.run import Run
from understudy.data.sources.digits import DigitsSettings
from understudy.data.stream import training_stream
from understudy.data.views import ViewSettings
from understudy.evaluation.geometry import alignment, effective_rank, spread, uniformity
from understudy.evaluation.predict import features_of
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.distill.regression import negative_cosine
from understudy.objectives.objective import combine
from understudy.objectives.selfsup import swapped_assignment
from understudy.objectives.selfsup.nt_xent import NtXentSettings
from understudy.objectives.selfsup.prediction import Prediction
from understudy.stages import observers
from understudy.stages.launch import Launched
from understudy.stages.material import Material, material
from understudy.stages.observers import FeatureObserver, features_on
from understudy.stages.pretrain import PretrainSettings

Launcher = Callable[..., Launched]

CROP = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}
GEOMETRY = {
    "spread",
    "effective_rank",
    "projected_spread",
    "projected_effective_rank",
    "alignment",
    "uniformity",
    "collapsed",
    "features_collapsed",
}
PROBES = {"knn_top1", "linear_top1"}
NARROW = {"hidden": 64, "out": 32}
METHODS: dict[str, dict[str, Any]] = {
    "simclr": {},
    "byol": {},
    "moco": {
        "terms": [{"kind": "info_nce", "queue": 256}],
        "projector": {**NARROW, "normed": "none"},
    },
    "simsiam": {},
    "barlow_twins": {},
    "vicreg": {},
    "swav": {
        "terms": [{"kind": "swapped_assignment", "prototypes": 50}],
        "projector": {**NARROW, "normed": "inner"},
    },
    "dino": {
        "projector": {**NARROW, "layers": 3, "normed": "inner", "prototypes": 100},
        "momentum": 0.9,  # a hundred steps are few
    },
}


def plan(steps: int = 120, *, rate: float = 0.002, observations: int = 4) -> dict[str, Any]:
    return {
        "steps": steps,
        "batch_size": 32,
        "observations": observations,
        "optimizer": {"kind": "adamw", "learning_rate": rate},
    }


def method(kind: str, **settings: Any) -> dict[str, Any]:
    return {"kind": kind, "projector": NARROW, **METHODS[kind], **settings}


COLLAPSING: dict[str, Any] = {
    "method": method("simsiam", projector={**NARROW, "normed": "none"}),
    "views": [CROP, CROP],
    "plan": plan(60, rate=0.01, observations=6),
}


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    """SimSiam without what keeps it: no predictor, and a target that is pulled along."""

    def forward(self: Any, student: Any, guidance: Any, targets: Any) -> Any:  # noqa: ARG001
        first, second = (view.projected for view in student)
        return {"negative_cosine": negative_cosine(first, second)}

    monkeypatch.setattr(Prediction, "forward", forward)


def observed(run: Path) -> list[dict[str, Any]]:
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["phase"] == "validation"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(
        tmp_path / "run",
        stage="pretrain",
        name="it",
        shared=tmp_path,
        identity="0" * 12,
        progress=Silent(),
        interrupts=Interrupts(),
    )
    made.path.mkdir()
    return made


@pytest.fixture
def images(run: Run, shared: Path) -> Material:
    settings = PretrainSettings.model_validate({"data": {"kind": "digits"}})
    return material(settings, open_pack(DigitsSettings(), shared=shared), run)


def learner(images: Material) -> Network:
    settings = images.learner(
        CifarResNetSettings(depth=8, width=0.5), ProjectorSettings(hidden=16, out=8)
    )
    return images.built(settings, seed=0)


def watching(
    images: Material,
    run: Run,
    *,
    views: tuple[ViewSettings, ...] = (ViewSettings(),),
    seed: int = 0,
    term: AnyObjective = NtXentSettings(),  # noqa: B008
    steps: int = 100,
) -> FeatureObserver:
    shape = learner(images).shape
    objective = combine([term], student=shape, guidance=shape, images=torch.arange(8))
    return FeatureObserver(images, run, views=views, seed=seed, objective=objective, steps=steps)


def test_every_figure_is_logged_at_every_look(pretrained: Launched) -> None:
    lines = observed(pretrained.run.path)

    assert len(lines) == 3
    assert all(line.keys() == {"step", "epoch", "phase"} | GEOMETRY | PROBES for line in lines)
    assert pretrained.summary["watched"] == {"split": "val", "images": 143}


def test_without_a_label_the_geometry_is_there(images: Material, run: Run) -> None:
    unlabelled = images._replace(labelled=images.labelled[:0], validation=images.validation[:0])
    without, beside = (watching(one, run)(learner(images)).values for one in (unlabelled, images))

    assert without.keys() == GEOMETRY
    assert without == {name: value for name, value in beside.items() if name in GEOMETRY}


def test_without_validation_images_the_same_ones_of_the_pool_are_watched(
    images: Material, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observers, "MOST_WATCHED", 200)
    none = images.splits.val[:0]
    alone = images._replace(splits=images.splits._replace(val=none), validation=none)
    first, second = (watching(alone, run, seed=s) for s in (0, 1))

    assert first.watched_split == "pool"
    assert len(set(first.watched)) == 200
    assert set(first.watched) <= set(images.pool)
    assert np.array_equal(first.watched, second.watched)
    assert first(learner(images)).values.keys() == GEOMETRY


def test_one_known_class_has_no_linear_probe(images: Material, run: Run) -> None:
    labels = images.pack.labels
    alike = images._replace(labelled=images.labelled[labels[images.labelled] == 3])

    values = watching(alike, run)(learner(images)).values

    assert values.keys() == GEOMETRY | {"knn_top1"}


def test_a_network_without_a_projector_is_watched_in_its_backbone(
    images: Material, run: Run
) -> None:
    headless = images.built(images.featurizer(CifarResNetSettings(depth=8, width=0.5)), seed=0)

    values = watching(images, run)(headless).values

    assert values.keys() == GEOMETRY - {"projected_spread", "projected_effective_rank"} | PROBES


def test_the_figures_are_those_of_the_images_and_of_the_trainings_own_views(
    images: Material, run: Run
) -> None:
    """The stream of a training makes the views here; the observer makes them by itself."""
    ways = tuple(map(ViewSettings.model_validate, (CROP, {"transforms": [{"kind": "solarize"}]})))
    network = learner(images).train()
    observer = watching(images, run, views=ways, seed=7)

    values = observer(network).values

    stream = training_stream(
        images.pack.images,
        indices=observer.watched,
        labels=None,
        views=ways,
        size=images.size,
        batch_size=len(observer.watched),
        seed_order=0,
        seed_views=7,
        ring=None,
        device=torch.device("cpu"),
        start=0,
        channels_last=False,
    )
    batch = next(stream)
    first, second = (features_of(network, [(view, batch.index)]) for view in batch.views)
    clean = features_on(network, images.pack, observer.watched, size=images.size)
    assert values["alignment"] == pytest.approx(alignment(first, second), rel=1e-4)
    both = (uniformity(first) + uniformity(second)) / 2
    assert values["uniformity"] == pytest.approx(both, rel=1e-4)
    assert values["spread"] == pytest.approx(spread(clean), rel=1e-4)
    assert values["effective_rank"] == pytest.approx(effective_rank(clean), rel=1e-4)
    assert all(part.training for part in network.modules())


def test_an_observation_moves_nothing(images: Material, run: Run) -> None:
    network = learner(images).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    views = tuple(map(ViewSettings.model_validate, (CROP, CROP)))
    observer = watching(images, run, views=views)

    first, second = observer(network), observer(network)

    assert first == second
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_features_that_are_not_finite_are_told_and_not_logged(
    images: Material, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, said = learner(images), list[str]()
    monkeypatch.setattr(run.progress, "say", said.append)
    with torch.no_grad():
        next(network.backbone.parameters()).fill_(float("inf"))

    values = watching(images, run)(network).values

    assert values == {}
    assert ["not finite" in line for line in said] == [True]


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.slow
def test_a_method_that_learns_is_never_called_collapsed(
    go: Launcher, tmp_path: Path, kind: str
) -> None:
    said: list[str] = []

    trained = go(
        "pretrain",
        root=tmp_path,
        say=said.append,
        method=method(kind),
        views=[CROP, CROP],
        plan=plan(observations=12),
    )

    assert not [line for line in said if "collaps" in line]
    assert [line["collapsed"] for line in observed(trained.run.path)] == [0] * 12
    assert trained.summary["notes"] == []


ASSIGNING = [
    ("dino", {"centre_momentum": 0.99999}),  # all images are assigned to one prototype
    ("dino", {"teacher_temperature": 10.0}),  # to all of them equally
    ("swav", {}),
]


@pytest.mark.parametrize(("kind", "settings"), ASSIGNING, ids=["uncentred", "blunt", "unshared"])
def test_where_all_images_are_assigned_alike_a_collapse_is_said(
    go: Launcher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    settings: dict[str, Any],
) -> None:
    """Directions stay apart: a cosine is divided by so little that small differences suffice."""

    def unshared(scores: Tensor, *, epsilon: float, iterations: int) -> Tensor:  # noqa: ARG001
        return (scores / epsilon).softmax(dim=1)

    monkeypatch.setattr(swapped_assignment, "balanced_assignments", unshared)
    said: list[str] = []
    (term,) = METHODS[kind].get("terms", [{"kind": "self_distillation"}])

    trained = go(
        "pretrain",
        root=tmp_path,
        say=said.append,
        method=method(kind, terms=[{**term, **settings}]),
        views=[CROP, CROP],
        plan=plan(60, observations=6),
    )

    lines = observed(trained.run.path)
    assert [line["collapsed"] for line in lines] == [0] * 4 + [1] * 2  # judged from step 50 on
    assert lines[-1]["groups"] < 1.02
    assert lines[-1]["projected_spread"] > 0.1
    assert [line["features_collapsed"] for line in lines] == [0] * 6
    told = [line for line in said if "collaps" in line]
    assert "look alike in the assignments, not in the features" in told[0]
    assert "assignments to prototypes divide images into 1.0" in told[0]
    (note,) = trained.summary["notes"]
    assert note.startswith("The assignments are collapsed since step 50, and the features are not")


def test_a_vast_temperature_is_no_collapse(go: Launcher, tmp_path: Path) -> None:
    vast = method("simclr", terms=[{"kind": "nt_xent", "temperature": 1000.0}])

    trained = go("pretrain", root=tmp_path, method=vast, views=[CROP, CROP], plan=plan())

    assert [line["collapsed"] for line in observed(trained.run.path)] == [0] * 4


def test_without_its_variance_vicreg_is_called_collapsed(go: Launcher, tmp_path: Path) -> None:
    """Nothing keeps the projections of a plain head apart then."""
    alone = method(
        "vicreg",
        projector={**NARROW, "normed": "none"},
        terms=[{"kind": "vicreg", "variance": 0.0}],
    )

    trained = go(
        "pretrain",
        root=tmp_path,
        method=alone,
        views=[CROP, CROP],
        plan=plan(60, rate=0.01, observations=2),
    )

    assert observed(trained.run.path)[-1]["collapsed"] == 1


@pytest.mark.usefixtures("pulled")
def test_a_collapse_is_said_once_noted_and_among_the_last_words(
    go: Launcher, tmp_path: Path
) -> None:
    said: list[str] = []

    trained = go("pretrain", root=tmp_path, say=said.append, **COLLAPSING)

    told = [line for line in said if "collaps" in line]
    lines = observed(trained.run.path)
    assert all(line["projected_spread"] < 0.1 for line in lines)
    assert [line["collapsed"] for line in lines] == [0] * 4 + [1] * 2  # judged from step 50 on
    assert len(told) == 2
    assert told[0].startswith(
        "pretrain pretrain: collapsing at step 50, images come to look alike in the projections, "
        "not in the features: features have"
    )
    assert "; projections have" in told[0]
    assert "effective rank" in told[0]
    assert "plan.optimizer.learning_rate" in told[0]
    assert said[-1] == told[1]
    (note,) = trained.summary["notes"]
    assert note.startswith("The projections are collapsed since step 50, and the features are not")
    assert note[1:] in told[1]


@pytest.mark.usefixtures("pulled")
def test_a_resumed_run_does_not_say_it_again(go: Launcher, tmp_path: Path) -> None:
    whole = go("pretrain", root=tmp_path / "whole", **COLLAPSING)
    said: list[str] = []
    with pytest.raises(InterruptedRunError):
        go("pretrain", root=tmp_path, stop_after=55, stop_with=signal.SIGTERM, **COLLAPSING)
    (stopped,) = (tmp_path / "pretrain").iterdir()
    assert any(line["collapsed"] for line in observed(stopped))

    resumed = go("pretrain", root=tmp_path, say=said.append, **COLLAPSING)

    assert not [line for line in said if "collapsing at" in line]
    assert observed(resumed.run.path) == observed(whole.run.path)
    assert resumed.summary["notes"] == whole.summary["notes"] != []
