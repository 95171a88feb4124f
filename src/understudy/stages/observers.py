"""What a stage sees of a network while it trains, on validation images."""

from collections.abc import Iterator, Sequence
from math import isnan
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from understudy.core.depth import Pixels
from understudy.core.monitors import MONITORS, MonitorName
from understudy.core.progress import Silent
from understudy.core.run import Run
from understudy.data.pack import Pack
from understudy.data.shuffle import shuffled
from understudy.data.stream import clean_batches, view_batches
from understudy.data.views import ViewSettings, as_pixels
from understudy.engine.state import module_device
from understudy.engine.watch import Observation
from understudy.evaluation.accuracy import accuracy
from understudy.evaluation.collapse import Division, Extent, extent
from understudy.evaluation.geometry import alignment, groups, uniformity
from understudy.evaluation.knn import NearestSettings, nearest_accuracy
from understudy.evaluation.predict import (
    Predictions,
    Predictor,
    evaluating,
    features_of,
    logits_of,
)
from understudy.evaluation.probe import Features, ProbeSettings, linear_probe
from understudy.evaluation.watched import watched
from understudy.models.ensemble import mean_of_probabilities
from understudy.models.network import Network
from understudy.objectives.objective import Combined
from understudy.objectives.reading import given
from understudy.stages.collapsing import ASSIGNMENTS, FEATURES, PROJECTIONS, hears
from understudy.stages.material import Indices, Material

NEIGHBOURS = 20  # the smaller of the two usual numbers: there are few labels
WATCHING = ProbeSettings(strengths=(0.1,))  # in the middle of the usual ones; nothing is chosen
MOST_KNOWN = 4096  # labels that probes know while a run goes on: an observation stays short
MOST_ASKED = 2048  # at which a share of a half is known to 2 points (95 %)
MOST_WATCHED = 1024  # at least as many as most features are wide, which bounds their rank
FEWEST = 64  # validation images below which the pool is watched: they bound the rank, too
EVALUATION_BATCH = 256  # a few megabytes of activations for small networks; larger gains nothing


class ClassifierObserver:
    """Accuracy and NLL on the labelled validation images, and what decides which is the best.

    Args:
        material: The images of the training.
        monitor: Name of the figure that decides.
    """

    def __init__(self, material: Material, *, monitor: MonitorName) -> None:
        self.material, self.monitor = material, monitor

    def __call__(self, network: nn.Module) -> Observation:
        """Looks at the network; without validation labels nothing is seen, and nothing decides."""
        pack, images = self.material.pack, self.material.validation
        if not len(images):
            return Observation(values={}, score=None)
        answers = answers_on(network, pack, images, size=self.material.size)
        seen = watched(
            answers.logits, pack.labels[images], classes=pack.classes, monitor=self.monitor
        )
        told = {name: value for name, value in seen.items() if not isnan(value)}
        return Observation(values=told, score=MONITORS[self.monitor].score(seen[self.monitor]))


class PeersObserver(ClassifierObserver):
    """Also the accuracy of each of several peers, and of the mean of their probabilities.

    Peers are looked at as they learn; a moving average is of the network that counts alone.

    Args:
        material: The images of the training.
        monitor: Of the network that counts.
        peers: The networks that learn together.
    """

    def __init__(
        self, material: Material, *, monitor: MonitorName, peers: Sequence[Network]
    ) -> None:
        super().__init__(material, monitor=monitor)
        self.peers = peers

    def __call__(self, network: nn.Module) -> Observation:
        """Looks at the network, which alone decides, and at all peers."""
        found = super().__call__(network)
        pack, images = self.material.pack, self.material.validation
        if not len(images):
            return found
        logits = [
            answers_on(peer, pack, images, size=self.material.size).logits for peer in self.peers
        ]
        together = mean_of_probabilities(
            torch.from_numpy(np.stack(logits)), torch.full((len(logits),), 1 / len(logits))
        )
        named = {f"peer{number}": one for number, one in enumerate(logits, start=1)}
        named["together"] = together.numpy()
        seen = {
            f"{name}_top1": accuracy(answers, pack.labels[images], classes=pack.classes).top1
            for name, answers in named.items()
        }
        return found._replace(values={**found.values, **seen})


class FeatureObserver:
    """Watches features that are learned without labels; it decides nothing.

    `knn_top1` and `linear_top1` go from labelled training images to labelled validation images,
    and are left out where the run may read no label. Only labels that it may read are read, so
    they are noisy with few of them.

    What needs no label is always there: `spread` and `effective_rank` of the backbone's features
    of clean images, `alignment` and `uniformity` of those of two views of each. It is measured on
    validation images, of which no label is asked; where they are fewer than `FEWEST`, on as many
    images of the pool.

    The backbone is what is used afterwards; the projection, where there is one, is what the method
    compares, and there a collapse shows first. So both are watched for one: `features_collapsed` is
    1 where the backbone's are narrow, `collapsed` where either is. Where an objective assigns
    images to prototypes, it is not directions that it compares: `groups` tells into how many the
    assignments divide images, and is judged in the place of the projections.

    Args:
        material: The images of the training.
        run: Its log tells the step; what is said of a collapse is said in its name.
        views: How the training makes its views; the first two are taken, or the only one twice.
        seed: Of the views.
        objective: What the projections are for.
        steps: Of the whole training.
    """

    def __init__(
        self,
        material: Material,
        run: Run,
        *,
        views: Sequence[ViewSettings],
        seed: int,
        objective: Combined,
        steps: int,
    ) -> None:
        self.material, self.run, self.seed = material, run, seed
        self.objective, self.steps = objective, steps
        self.ways = (*views, *views)[:2]
        self.known = _some(material.labelled, MOST_KNOWN)
        self.asked = _some(material.validation, MOST_ASKED)
        self.watched_split = "val" if len(material.splits.val) >= FEWEST else "pool"
        watched = material.splits.val if self.watched_split == "val" else material.pool
        self.watched = _some(watched, MOST_WATCHED)

    def __call__(self, network: nn.Module) -> Observation:
        """Looks at the network."""
        pack, size = self.material.pack, self.material.size
        everything = np.unique(np.concatenate([self.known, self.asked, self.watched]))
        features = features_on(network, pack, everything, size=size)
        views = [
            features_of(network, self._views(network, number)) for number in range(len(self.ways))
        ]
        if not all(np.isfinite(values).all() for values in (features, *views)):
            self.run.progress.warn(
                f"{self.run.stage} {self.run.name}: some features of images are not finite; "
                "nothing could be told of them"
            )
            return Observation(values={}, score=None)

        def of(images: Indices) -> Features:
            places = np.searchsorted(everything, images)
            return Features(features[places], pack.labels[images])

        clean = of(self.watched).values
        values, judged = self._judged(network, clean)
        collapsed = hears(self.run, judged, steps=self.steps)
        values = {
            **self._probed(of(self.known), of(self.asked)),
            **values,
            "alignment": alignment(*views),
            "uniformity": fmean(map(uniformity, views)),
            "collapsed": float(collapsed.anything),
            "features_collapsed": float(collapsed.features),
        }
        return Observation(values=values, score=None)

    def _judged(
        self, network: nn.Module, clean: NDArray[np.float32]
    ) -> tuple[dict[str, float], dict[str, Extent | Division]]:
        """The figures of features [N, D] and of what the method compares; and what is judged."""
        of_features = extent(clean)
        values = {"spread": of_features.spread, "effective_rank": of_features.effective_rank}
        judged: dict[str, Extent | Division] = {FEATURES: of_features}
        if (projected := projected_of(network, clean)) is None:
            return values, judged
        compared = extent(projected)
        values["projected_spread"] = compared.spread
        values["projected_effective_rank"] = compared.effective_rank
        if (divided := self._groups(network, projected)) is None:
            return values, {**judged, PROJECTIONS: compared}
        return {**values, "groups": divided}, {**judged, ASSIGNMENTS: Division(divided)}

    @torch.no_grad()
    def _groups(self, network: nn.Module, projected: NDArray[np.float32]) -> float | None:
        """Of projections [N, P], batch by batch: there may be many thousands of prototypes."""
        whole = torch.from_numpy(projected).to(module_device(network))
        assigned = self.objective.assignments
        if assigned(whole[:1]) is None:
            return None
        return groups(given(assigned(batch)) for batch in torch.split(whole, EVALUATION_BATCH))

    def _probed(self, known: Features, asked: Features) -> dict[str, float]:
        """k-NN and a linear probe, where labels may be read."""
        if not len(known.labels) or not len(asked.labels):
            return {}
        nearest = nearest_accuracy(
            asked.values,
            asked.labels,
            bank=known.values,
            bank_labels=known.labels,
            num_classes=len(self.material.pack.classes),
            settings=NearestSettings(neighbours=NEIGHBOURS),
        )
        if len(np.unique(known.labels)) < 2:
            return {"knn_top1": nearest}
        linear = linear_probe(known, asked, asked, settings=WATCHING)
        return {"knn_top1": nearest, "linear_top1": linear.test}

    def _views(self, network: nn.Module, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        return view_batches(
            self.material.pack.images,
            indices=self.watched,
            batch_size=EVALUATION_BATCH,
            view=self.ways[number],
            view_id=number,
            size=self.material.size,
            seed=self.seed,
            device=module_device(network),
            statistics=self.material.statistics,
        )


def _some(images: Indices, most: int) -> Indices:
    """So many of the images, in every process and after every resume the same ones."""
    return np.sort(shuffled(images, seed=0, purpose="watched")[:most])


def projected_of(network: nn.Module, pooled: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Projections [N, P] of pooled features [N, D]; None where the network has no projector."""
    if not isinstance(network, Network) or network.shape.projected is None:
        return None
    with evaluating(network):
        projected = network.projector(torch.from_numpy(pooled).to(module_device(network)))
    return np.asarray(projected.float().numpy(force=True), dtype=np.float32)


def features_on(
    network: nn.Module, pack: Pack, images: Indices, *, size: int
) -> NDArray[np.float32]:
    """Pooled features [N, D] of a network on images of a pack, as they are."""
    return features_of(network, _batches(network, pack, images, size))


def answers_on(network: nn.Module, pack: Pack, images: Indices, *, size: int) -> Predictions:
    """Logits of a network on images of a pack, as they are, without augmentation."""
    return logits_of(Predictor(network), _batches(network, pack, images, size), Silent())


def pixels_of(pack: Pack, images: Indices, *, size: int) -> Pixels:
    """Images of a pack as the network is given them, of its depth, [N, C, size, size]."""
    batches = clean_batches(
        pack.images,
        indices=images,
        batch_size=EVALUATION_BATCH,
        size=size,
        device=torch.device("cpu"),
    )
    pixels: Pixels = torch.cat([as_pixels(batch, pack.depth) for batch, _ in batches]).numpy()
    return pixels


def _batches(
    network: nn.Module, pack: Pack, images: Indices, size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    return clean_batches(
        pack.images,
        indices=images,
        batch_size=EVALUATION_BATCH,
        size=size,
        device=module_device(network),
    )
