"""The images of a training: the pack, its splits, and the few whose labels may be read."""

from functools import partial
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveInt

from understudy.core.depth import white
from understudy.core.errors import DataError
from understudy.core.run import Run
from understudy.core.seeds import derived_seed
from understudy.core.settings import Added, Aside
from understudy.data.augment.transform import Statistics
from understudy.data.labels import FewLabelsSettings, few_labels
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.data.splits import Splits, split
from understudy.engine.machine import MachineSettings
from understudy.models import AnyBackbone
from understudy.models.dense import HeadSettings
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.objective import Classes

Indices = NDArray[np.int64]
SPLITS = ("train", "val", "test", "unlabeled")
LABELS = "labels"
"""The stream that draws the labelled images: one for all generations of a seed."""
LINEAR = HeadSettings()
VIEWS = "views"
"""The stream that draws the views."""


Part = Literal["pool", "labelled", "train", "unlabeled", "validation", "test"]
Parts = Part | Annotated[tuple[Part, ...], Field(min_length=1)]
"""Images by name, or several such names together. `pool`: those of `train` and `unlabeled`."""


class LabelledSettings(DataSettings):
    """What every stage needs that may read some labels."""

    labels: FewLabelsSettings = FewLabelsSettings()
    """How many labels may be read."""
    size: PositiveInt | None = None
    """Side of the square that the network sees, in pixels; by default that of the packed images."""
    seed: NonNegativeInt = 0
    """Draws the labelled images, the initialisation, the order and the views."""

    def stream(self, purpose: str) -> int:
        """The seed of one purpose, independent of all others."""
        given = self.labels.seed if purpose == LABELS else None
        return derived_seed(self.seed if given is None else given, purpose)

    def must_fit(self, pack: Pack) -> None:
        """Looks whether there are so many labelled images."""
        labelled_images(self, pack)


class TrainingSettings(LabelledSettings):
    """What every training needs."""

    chooses: ClassVar[bool] = True
    """Whether what is seen on validation decides which checkpoint is the best."""
    generation: NonNegativeInt = 0
    """Counts networks that learn one after another under one seed, as in self-distillation: each
    draws its own initialisation, order and views, and shares the labeled images."""
    machine: Annotated[MachineSettings, Aside()] = MachineSettings()
    """What to compute with; changes no identity."""

    @property
    def is_scored(self) -> bool:
        """Whether validation gives it a score, by which one checkpoint or setting is the best."""
        return self.chooses

    def stream(self, purpose: str) -> int:
        """The seed of one purpose, independent of all others, and of those of other generations."""
        own = self.generation and purpose != LABELS
        return super().stream(f"{purpose}/{self.generation}" if own else purpose)


class ClassifyingSettings(TrainingSettings):
    """What a training needs that ends in a classifier."""

    head: Annotated[HeadSettings, Added()] = HeadSettings()
    """What stands between the backbone and the classifier: by default nothing."""


class TaughtByLabelsSettings(ClassifyingSettings):
    """What a training needs that shows labelled images alone."""

    epochs_over: Literal["labelled", "pool"] = "labelled"
    """Which images an epoch counts: "pool" gives as many steps as a distillation on the pool."""

    def counted(self, images: "Material") -> int:
        """How many images an epoch counts."""
        return len(images.labelled if self.epochs_over == "labelled" else images.pool)


class Material(NamedTuple):
    """Positions in the pack, by what may be done with them."""

    pack: Pack
    splits: Splits
    labelled: Indices
    """Training images whose labels may be read."""
    validation: Indices
    """Validation images whose labels may be read."""
    pool: Indices
    """All images that may be learned from without labels: training and unlabeled ones."""
    size: int
    mean: list[float]
    std: list[float]

    @property
    def statistics(self) -> Statistics:
        """Of the channels of the pool."""
        return Statistics(tuple(self.mean), tuple(self.std))

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return int(self.pack.images.shape[1])

    def classifier(self, backbone: AnyBackbone, head: HeadSettings = LINEAR) -> NetworkSettings:
        """A network for these images that names their classes."""
        plain = self._network(backbone, classes=self.pack.classes, projector=None)
        return plain.model_copy(update={"head": head})

    def learner(self, backbone: AnyBackbone, projector: ProjectorSettings) -> NetworkSettings:
        """A network for these images that learns without labels."""
        return self._network(backbone, classes=None, projector=projector)

    def featurizer(self, backbone: AnyBackbone) -> NetworkSettings:
        """A network for these images without a head."""
        return self._network(backbone, classes=None, projector=None)

    def _network(
        self,
        backbone: AnyBackbone,
        *,
        classes: tuple[str, ...] | None,
        projector: ProjectorSettings | None,
    ) -> NetworkSettings:
        return NetworkSettings(
            backbone=backbone,
            channels=self.channels,
            bands=self.pack.bands,
            depth=self.pack.depth,
            numbers=self.pack.numbers,
            size=self.size,
            classes=classes,
            projector=projector,
        )

    def built(self, network: NetworkSettings, *, seed: int) -> Network:
        """The network with these images' statistics and fresh weights."""
        return network.build(mean=self.mean, std=self.std, seed=seed)

    def classes(self) -> Classes:
        """The classes, and how many training images of each may show their label."""
        return classes_of(self.pack, self.labelled)

    def allowed_labels(self) -> Indices:
        """[N] over the pack: the labels that training may read, and -1 for all others."""
        labels = np.full_like(self.pack.labels, -1)
        labels[self.labelled] = self.pack.labels[self.labelled]
        return labels


def classes_of(pack: Pack, labelled: Indices) -> Classes:
    """The classes of a pack, and how many of these images each has."""
    counts = np.bincount(pack.labels[labelled], minlength=len(pack.classes))
    return Classes(names=pack.classes, counts=tuple(counts.tolist()))


def labelled_images(settings: LabelledSettings, pack: Pack) -> tuple[Splits, Indices, Indices]:
    """The splits, and the training and validation images whose labels may be read.

    Raises:
        DataError: There are not so many.
    """
    splits = split(pack, settings.split)
    draw = partial(
        few_labels,
        pack.labels,
        classes=pack.classes,
        settings=settings.labels,
        seed=settings.stream(LABELS),
    )
    return splits, draw(splits.train, split="train"), draw(splits.val, split="val")


def _statistics(pack: Pack, mean: list[float], std: list[float]) -> list[dict[str, Any]]:
    """Mean and deviation of each band over the pool, in the images' own numbers, once scaled.

    For people: a network holds its own among its weights, on the scale of 0 to 1, and whatever
    starts from it takes them over.
    """
    brightest = pack.numbers.white if pack.numbers else white(pack.depth)
    return [
        {"band": band, "mean": brightest * centre, "std": brightest * spread}
        for band, centre, spread in zip(pack.bands, mean, std, strict=True)
    ]


def pool_of(splits: Splits) -> Indices:
    """All images that may be learned from without labels."""
    return np.sort(np.concatenate([splits.train, splits.unlabeled]))


def named_parts(parts: Parts) -> tuple[Part, ...]:
    """The names, one or several."""
    return (parts,) if isinstance(parts, str) else parts


def images_of(parts: Parts, splits: Splits, labelled: Indices) -> Indices:
    """The images that go by these names, sorted.

    Raises:
        DataError: There is none.
    """
    known = {
        "pool": pool_of(splits),
        "labelled": labelled,
        "train": splits.train,
        "unlabeled": splits.unlabeled,
        "validation": splits.val,
        "test": splits.test,
    }
    found = np.unique(np.concatenate([known[name] for name in named_parts(parts)]))
    if not len(found):
        there = ", ".join(f"{name} {len(images):,}" for name, images in known.items())
        raise DataError(
            f"There is no image to learn from among {', '.join(named_parts(parts))}; there are: "
            f"{there}."
        )
    return found


def parts_notes(parts: Parts, splits: Splits) -> list[str]:
    """What is to be known where images are learned from that others are judged by."""
    names = named_parts(parts)
    return [
        sentence
        for name, sentence in (
            (
                "test",
                f"It learned from the {len(splits.test):,} test images, as it was told to: every "
                "figure on them is too good.",
            ),
            (
                "validation",
                f"It learned from the {len(splits.val):,} validation images, as it was told to: "
                "what is chosen by them is chosen by images that it has seen.",
            ),
        )
        if name in names
    ]


def material(settings: LabelledSettings, pack: Pack, run: Run) -> Material:
    """Splits the pack, draws the labelled images, and writes both into the run.

    The mean and deviation of the channels come from the pool: no test or validation pixel.

    Raises:
        DataError: The images cannot serve as asked.
    """
    splits, labelled, validation = labelled_images(settings, pack)
    pool = pool_of(splits)
    if not len(pool):
        raise DataError("There is no image to train on: the training split is empty.")
    mean, std = pack.mean_std(pool)

    run.write("data/classes.json", list(pack.classes))
    run.write(
        "data/splits.json",
        {
            "pack": pack.key,
            "counts": {name: len(getattr(splits, name)) for name in SPLITS},
            "labelled": labelled.tolist(),
            "validation": validation.tolist(),
            "skipped": dict(pack.skipped),
            "notes": list(splits.notes),
        },
    )
    if pack.bands:
        run.write("data/bands.json", _statistics(pack, mean, std))
    return Material(
        pack=pack,
        splits=splits,
        labelled=labelled,
        validation=validation,
        pool=pool,
        size=settings.size or int(pack.images.shape[-1]),
        mean=mean,
        std=std,
    )
