"""What a stage sees of a network while it trains, on the validation images whose labels count."""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from understudy.core.progress import Silent
from understudy.data.pack import Pack
from understudy.data.stream import clean_batches
from understudy.engine.state import module_device
from understudy.engine.watch import Observation
from understudy.evaluation.accuracy import accuracy
from understudy.evaluation.knn import NearestSettings, nearest_accuracy
from understudy.evaluation.predict import Predictions, Predictor, features_of, logits_of
from understudy.models.ensemble import mean_of_probabilities
from understudy.models.network import Network
from understudy.stages.material import Indices, Material

NEIGHBOURS = 20  # the smaller of the two usual numbers: there are few labels
EVALUATION_BATCH = 256  # a few megabytes of activations for small networks; larger gains nothing


class ClassifierObserver:
    """Accuracy and NLL on the labelled validation images; one of them decides what is the best.

    Args:
        material: The images of the training.
        monitor: "top1", or "nll", of which less is better.
    """

    def __init__(self, material: Material, *, monitor: Literal["top1", "nll"]) -> None:
        self.material, self.monitor = material, monitor

    def __call__(self, network: nn.Module) -> Observation:
        """Looks at the network; without validation labels nothing is seen, and nothing decides."""
        pack, images = self.material.pack, self.material.validation
        if not len(images):
            return Observation(values={}, score=None)
        answers = answers_on(network, pack, images, size=self.material.size)
        seen = accuracy(answers.logits, pack.labels[images], classes=pack.classes)
        score = seen.top1 if self.monitor == "top1" else -seen.nll
        return Observation(values={"top1": seen.top1, "nll": seen.nll}, score=score)


class PeersObserver(ClassifierObserver):
    """Also the accuracy of each of several peers, and of the mean of their probabilities.

    Peers are looked at as they learn; a moving average is of the network that counts alone.

    Args:
        material: The images of the training.
        monitor: Of the network that counts.
        peers: The networks that learn together.
    """

    def __init__(
        self, material: Material, *, monitor: Literal["top1", "nll"], peers: Sequence[Network]
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
    """Weighted k-NN of the frozen features, from the labelled training images to validation.

    Only labels that the run may read are read, so the figure is noisy with few of them; it
    watches the training and decides nothing.
    """

    def __init__(self, material: Material) -> None:
        self.material = material

    def __call__(self, network: nn.Module) -> Observation:
        """Looks at the network."""
        known, asked = self.material.labelled, self.material.validation
        if not len(known) or not len(asked):
            return Observation(values={}, score=None)
        labels = self.material.pack.labels
        found = nearest_accuracy(
            features_on(network, self.material.pack, asked, size=self.material.size),
            labels[asked],
            bank=features_on(network, self.material.pack, known, size=self.material.size),
            bank_labels=labels[known],
            num_classes=len(self.material.pack.classes),
            settings=NearestSettings(neighbours=NEIGHBOURS),
        )
        return Observation(values={"knn_top1": found}, score=None)


def features_on(
    network: nn.Module, pack: Pack, images: Indices, *, size: int
) -> NDArray[np.float32]:
    """Pooled features [N, D] of a network on images of a pack, as they are."""
    return features_of(network, _batches(network, pack, images, size))


def answers_on(network: nn.Module, pack: Pack, images: Indices, *, size: int) -> Predictions:
    """Logits of a network on images of a pack, as they are, without augmentation."""
    return logits_of(Predictor(network), _batches(network, pack, images, size), Silent())


def pixels_of(pack: Pack, images: Indices, *, size: int) -> NDArray[np.uint8]:
    """Images of a pack as the network is given them, uint8 [N, C, size, size]."""
    batches = clean_batches(
        pack.images,
        indices=images,
        batch_size=EVALUATION_BATCH,
        size=size,
        device=torch.device("cpu"),
    )
    clean = torch.cat([batch for batch, _ in batches])
    return (clean * 255).round().to(torch.uint8).numpy()


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
