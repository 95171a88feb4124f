"""The few labels: which images of a split may show theirs."""

from collections.abc import Sequence
from math import floor
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from understudy.core.errors import DataError
from understudy.core.settings import Settings
from understudy.data.shuffle import shuffled

Indices = NDArray[np.int64]
MOST_SHOWN = 10  # classes in a message; a thousand would fill ten screens
ROUNDING = 1e-9  # 0.29 x 100 is 28.999999999999996
Fraction = Annotated[float, Field(gt=0, le=1)]


class FewLabelsSettings(Settings):
    """How many labels may be used; a label used to choose on validation images is one too."""

    per_class: PositiveInt | None = None
    """Labelled training images of each class. Without it and `fraction`: all."""
    fraction: Fraction | None = None
    """Labelled share of each class's training images, counted down; at least one image each."""
    validation_per_class: PositiveInt | None = None
    """Labelled validation images of each class. Without it and `validation_fraction`: all."""
    validation_fraction: Fraction | None = None
    """Labelled share of each class's validation images, counted down; at least one image each."""
    seed: NonNegativeInt | None = None
    """Draws the labelled images; by default the run's own seed does. One number gives runs of all
    seeds the same images, as the members of an ensemble may want them."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        for prefix in ("", "validation_"):
            keys = [f"{prefix}per_class", f"{prefix}fraction"]
            if all(getattr(self, key) is not None for key in keys):
                either = f"give either `{keys[0]}` or `{keys[1]}`, not both"
                raise ValueError(f"{either}; `null` takes one back")
        return self


def few_labels(
    labels: Indices,
    candidates: Indices,
    *,
    classes: Sequence[str],
    settings: FewLabelsSettings,
    split: Literal["train", "val"],
    seed: int,
) -> Indices:
    """The images of a split whose labels may be used.

    For one seed, fewer labels are always a subset of more. Each class has its own random order,
    so another class more or less changes nothing.

    Args:
        labels: Of the whole pack, [N].
        candidates: Positions of the split's images in the pack.
        classes: Names, by label.
        settings: How many.
        split: Which of the settings apply.
        seed: The run's.

    Returns:
        Positions in the pack, sorted.

    Raises:
        DataError: There are fewer images of some class than asked for.
    """
    prefix = "" if split == "train" else "validation_"
    per_class: int | None = getattr(settings, f"{prefix}per_class")
    fraction: float | None = getattr(settings, f"{prefix}fraction")
    members = [np.sort(candidates[labels[candidates] == label]) for label in range(len(classes))]
    if per_class is not None:
        _must_suffice(members, per_class, classes=classes, split=split, key=f"{prefix}per_class")

    chosen = [
        shuffled(own, seed=seed, purpose=f"labels/{split}/{name}")[
            : _amount(len(own), per_class, fraction)
        ]
        for own, name in zip(members, classes, strict=True)
    ]
    return np.sort(np.concatenate([*chosen, np.empty(0, dtype=np.int64)]))


def _amount(available: int, per_class: int | None, fraction: float | None) -> int:
    if per_class is not None:
        return per_class
    return available if fraction is None else share_of(available, fraction)


def share_of(available: int, fraction: float) -> int:
    """So many of a class's images are a share of them: counted down, but at least one."""
    return max(1, floor(fraction * available + ROUNDING)) if available else 0


def _must_suffice(
    members: Sequence[Indices], per_class: int, *, classes: Sequence[str], split: str, key: str
) -> None:
    short = {
        name: len(own) for name, own in zip(classes, members, strict=True) if len(own) < per_class
    }
    if not short:
        return
    fewest = sorted(short, key=lambda name: short[name])[:MOST_SHOWN]
    named = ", ".join(repr(name) for name in fewest)
    counts = ", ".join(str(short[name]) for name in fewest)
    if len(short) > MOST_SHOWN:
        named, counts = f"{named}, ...", f"{counts}, ..."
    noun = "class" if len(short) == 1 else f"each of {len(short)} classes:"
    least = min(short.values())
    lower = f"Set `labels.{key}` to at most {least}, or use" if least else "Use"
    raise DataError(
        f"Cannot label {per_class} images of {noun} {named}: the {split!r} split has {counts}. "
        f"{lower} a larger split."
    )
