"""What frozen features are worth: one protocol for all networks, on the labels that may be read."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from understudy.core.errors import UsageError
from understudy.core.files import read_json
from understudy.core.seeds import derived_seed
from understudy.core.settings import Settings
from understudy.data.labels import ROUNDING, FewLabelsSettings, few_labels
from understudy.data.pack import Pack
from understudy.data.sources.listing import quoted
from understudy.data.splits import Splits
from understudy.evaluation.hits import hits
from understudy.evaluation.knn import find_nearest
from understudy.evaluation.probe import Features, ProbeSettings, linear_probe
from understudy.stages.label_count import counted, labels_of
from understudy.stages.material import LABELS, Indices
from understudy.stages.observers import features_on
from understudy.stages.restore import Restored, meaning_of

Below1 = Annotated[float, Field(gt=0, lt=1)]


class ProbingSettings(Settings):
    """Judges frozen features by one protocol, whatever network gives them.

    The network stays as it is. Clean labelled training images are what k-NN and a linear classifier
    know, labelled validation images choose the regularisation, and the last checkpoint is judged.
    """

    classifiers: bool = False
    """Whether the features of classifiers are probed too, and not only those of networks without
    one: so that teacher, baseline and student are judged alike, whatever they are."""
    labels: FewLabelsSettings | None = None
    """The labels that the probes may read; by default those of each run. A network that was made on
    other images has none here, and needs it. Drawn by each run's seed, as its own are."""
    shares: tuple[Below1, ...] = (0.01, 0.1)  # SimCLR's, and those of all that came after
    """Probed again with these shares of the labels, those of validation too, each class alike; at
    least one image of each. Rising."""
    neighbours: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (20, 200)  # the usual two
    """How many labelled images vote in k-NN; all of them where there are fewer. Rising."""
    temperature: PositiveFloat = 0.1  # 0.07 in Wu et al.; 0.1 in MoCo's CIFAR-10 demo and since
    """How quickly a vote fades with distance; small: only the nearest count."""
    linear: ProbeSettings = ProbeSettings()

    @field_validator("shares", "neighbours")
    @classmethod
    def _rise(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if any(later <= earlier for earlier, later in pairwise(values)):
            raise ValueError("must rise, each larger than the one before")
        return values


class Known(NamedTuple):
    """The labels that the probes of one network may read."""

    train: Indices
    """Positions in the pack."""
    validation: Indices
    seed: int
    """Draws shares of them."""

    def share(self, share: float, pack: Pack) -> "Known":
        """A share of each class, at least one image of each that has any; nested for one seed."""

        def drawn(images: Indices, name: Any) -> Indices:
            return few_labels(
                pack.labels,
                images,
                classes=pack.classes,
                settings=FewLabelsSettings(fraction=share, validation_fraction=share),
                split=name,
                seed=self.seed,
            )

        return Known(drawn(self.train, "train"), drawn(self.validation, "val"), self.seed)


def known_labels(
    path: Path, model: Restored, pack: Pack, splits: Splits, settings: ProbingSettings
) -> Known:
    """The labels that the probes of a run's network may read.

    Raises:
        UsageError: The run has none of these images, and nothing says which may be read.
        DataError: There are not so many.
    """
    own = model.summary.get("seed")
    asked = settings.labels
    if asked is None:
        own_images = model.summary.get("pack") == pack.key
        own_images &= meaning_of(model.summary) == pack.meaning
        if not own_images or not (path / "data" / "splits.json").exists():
            raise UsageError(
                f"{path}: made on other images than these, or with other classes, so none of its "
                "labels are here. Say how many labels of these images its probes may read: "
                "probe.labels.fraction=1 (all of them), probe.labels.per_class=50."
            )
        drawn = read_json(path / "data" / "splits.json")
        known, chosen = (np.array(drawn[name], np.int64) for name in ("labelled", "validation"))
        return Known(known, chosen, derived_seed(own or 0, LABELS))
    seed = derived_seed((own or 0) if asked.seed is None else asked.seed, LABELS)

    def few(images: Indices, name: Any) -> Indices:
        return few_labels(
            pack.labels, images, classes=pack.classes, settings=asked, split=name, seed=seed
        )

    return Known(few(splits.train, "train"), few(splits.val, "val"), seed)


class _Splits(NamedTuple):
    """Features that a probe learns from, chooses with and is asked about."""

    train: Features
    validation: Features
    asked: Features


def probed(
    path: Path,
    model: Restored,
    known: Known,
    pack: Pack,
    images: Indices,
    settings: ProbingSettings,
) -> dict[str, Any]:
    """Probes the features of a run on some images: with all known labels, and with shares of them.

    Features are of clean images, and computed once.

    Args:
        path: The run.
        model: Its network.
        known: Which labels may be read.
        pack: The images.
        images: Positions in the pack to answer.
        settings: The protocol.

    Returns:
        "labels" (with those that the network itself has read), "known" (training images that the
        probes know), "knn", "linear_top1" and more; the same for each share under "shares".
    """
    size, classes = model.settings.size, len(pack.classes)
    everything = _Splits(
        *(
            Features(features_on(model.network, pack, some, size=size), pack.labels[some])
            for some in (known.train, known.validation, images)
        )
    )

    def figures(few: Known) -> dict[str, Any]:
        read = labels_of(pack, train=few.train, validation=few.validation, parents=[path])
        features = everything._replace(
            train=_rows(everything.train, np.isin(known.train, few.train)),
            validation=_rows(everything.validation, np.isin(known.validation, few.validation)),
        )
        return {
            "labels": counted(read),
            "known": len(few.train),
            "knn": _nearest(features, classes, settings),
            **_linear(features, classes, settings),
        }

    shares = [{"share": share, **figures(known.share(share, pack))} for share in settings.shares]
    width = everything.train.values.shape[1]
    return {"features": width, **figures(known), "shares": shares}


def notes_of(known: Known, pack: Pack, settings: ProbingSettings) -> Iterator[str]:
    """What is to be known of the labels of a probe; mostly nothing."""
    counts = np.bincount(pack.labels[known.train], minlength=len(pack.classes))
    if lacking := [name for name, count in zip(pack.classes, counts, strict=True) if not count]:
        yield f"No labelled image of {quoted(lacking)}: no probe can name it."
    few = [(share, len(known.share(share, pack).train)) for share in settings.shares]
    for share, images in few:
        if scarce := int(((counts > 0) & (share * counts + ROUNDING < 1)).sum()):
            yield (
                f"{100 * share:.3g} % of the labels is less than one image of {scarce:,} of "
                f"{len(counts):,} classes; one of each was taken, {images:,} in all."
            )
    everything = (1.0, len(known.train))
    all_vote = [
        f"{images:,} at {100 * share:.3g} % of the labels"
        for share, images in [everything, *reversed(few)]
        if images < settings.neighbours[-1]
    ]
    if all_vote:
        yield (
            "k-NN: where there are fewer labelled images than neighbours, all of them vote: "
            f"{', '.join(all_vote)}."
        )


def doubts_of(figures: Mapping[str, Any], settings: ProbingSettings, *, on: str) -> Iterator[str]:
    """What weakens the figures of a probe; mostly nothing.

    Args:
        figures: What `probed` returned.
        settings: The protocol.
        on: The split that was asked about.
    """
    if on == "val":
        yield (
            "Linear probes chose their regularisation on labelled validation images, which are "
            "among those that they are judged by here: their figures flatter."
        )
    every = [(1.0, figures), *((one["share"], one) for one in figures["shares"])]
    stopped = [f"{share:.3g}" for share, one in every if not one["linear_converged"]]
    if stopped:
        yield (
            f"The solver of the linear probe was stopped at {settings.linear.iterations:,} "
            f"(`probe.linear.iterations`) with a share of {', '.join(stopped)} of the labels: "
            "its figure may be too low."
        )
    strengths = settings.linear.strengths
    ends = {strengths[0]: "smallest", strengths[-1]: "largest"} if len(strengths) > 1 else {}
    if what := ends.get(figures["linear_strength"]):  # of few labels, ties alone lead to an end
        yield (
            f"Of `probe.linear.strengths` validation chose the {what}, "
            f"{figures['linear_strength']:g}, with all labels: one beyond may do better."
        )


def _rows(features: Features, kept: NDArray[np.bool_]) -> Features:
    return Features(features.values[kept], features.labels[kept])


def _nearest(
    features: _Splits, classes: int, settings: ProbingSettings
) -> list[dict[str, int | float | None]]:
    """One entry for each number of neighbours."""
    train, asked = features.train, features.asked
    found = find_nearest(
        torch.from_numpy(asked.values),
        bank=torch.from_numpy(train.values),
        neighbours=settings.neighbours[-1],
    )
    told: list[dict[str, int | float | None]] = []
    for neighbours in settings.neighbours:
        votes = found.votes(
            torch.from_numpy(train.labels),
            num_classes=classes,
            neighbours=neighbours,
            temperature=settings.temperature,
        )
        named = votes.masked_fill(votes == 0, -torch.inf)  # what nobody votes for is no answer
        right = hits(named.numpy(), asked.labels)
        voting = min(neighbours, len(train.labels))
        told.append({"neighbours": neighbours, "voting": voting, **right._asdict()})
    return told


def _linear(features: _Splits, classes: int, settings: ProbingSettings) -> dict[str, Any]:
    found = linear_probe(*features, settings=settings.linear, num_classes=classes)
    return {
        "linear_top1": found.test,
        "linear_top5": found.test_top5,
        "linear_validation": found.validation,
        "linear_strength": found.strength,
        "linear_converged": found.converged,
    }
