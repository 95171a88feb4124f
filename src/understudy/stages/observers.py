"""What a stage sees of a network while it trains, on the validation images whose labels count."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from understudy.data.pack import Pack
from understudy.data.stream import clean_batches
from understudy.engine.state import module_device
from understudy.engine.watch import Observation
from understudy.evaluation.accuracy import accuracy
from understudy.evaluation.knn import knn_accuracy
from understudy.evaluation.predict import Predictor, features_of, logits_of
from understudy.models.network import Network
from understudy.stages.material import Indices, Material

EVALUATION_BATCH = 256  # a few megabytes of activations for small networks; larger gains nothing


class ClassifierObserver:
    """Accuracy and NLL on the labelled validation images; accuracy decides what is the best."""

    def __init__(self, material: Material) -> None:
        self.material = material

    def __call__(self, network: Network) -> Observation:
        """Looks at the network; without validation labels nothing is seen, and nothing decides."""
        pack, images = self.material.pack, self.material.validation
        if not len(images):
            return Observation(values={}, score=None)
        logits = logits_on(network, pack, images, size=self.material.size)
        seen = accuracy(logits, pack.labels[images], pack.classes)
        return Observation(values={"top1": seen.top1, "nll": seen.nll}, score=seen.top1)


class FeatureObserver:
    """Weighted k-NN of the frozen features, from the labelled training images to validation.

    Only labels that the run may read are read, so the figure is noisy with few of them; it
    watches the training and decides nothing.
    """

    def __init__(self, material: Material) -> None:
        self.material = material

    def __call__(self, network: Network) -> Observation:
        """Looks at the network."""
        known, asked = self.material.labelled, self.material.validation
        if not len(known) or not len(asked):
            return Observation(values={}, score=None)
        labels = self.material.pack.labels
        found = knn_accuracy(
            self._features(network, known),
            labels[known],
            self._features(network, asked),
            labels[asked],
            neighbours=min(20, len(known)),  # 20 is small enough for few labels
            temperature=0.1,  # Wu et al. 2018 use 0.07, the field since then 0.1
        )
        return Observation(values={"knn_top1": found}, score=None)

    def _features(self, network: Network, images: Indices) -> NDArray[np.float32]:
        return features_of(
            network, _batches(network, self.material.pack, images, self.material.size)
        )


def logits_on(network: Network, pack: Pack, images: Indices, *, size: int) -> NDArray[np.float32]:
    """Logits [N, K] of a network on images of a pack, as they are, without augmentation."""
    predictor = Predictor(network)
    return logits_of(predictor, _batches(network, pack, images, size)).logits


def pixels_of(pack: Pack, images: Indices, *, size: int) -> NDArray[np.uint8]:
    """Images of a pack as the network is given them, uint8 [N, C, size, size]."""
    batches = clean_batches(
        pack.images, images, batch_size=EVALUATION_BATCH, size=size, device=torch.device("cpu")
    )
    clean = torch.cat([batch for batch, _ in batches])
    return (clean * 255).round().to(torch.uint8).numpy()


def _batches(
    network: Network, pack: Pack, images: Indices, size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    return clean_batches(
        pack.images,
        images,
        batch_size=EVALUATION_BATCH,
        size=size,
        device=module_device(network),
    )
