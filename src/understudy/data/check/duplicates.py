"""Images of equal pixels: across splits, within one, and under two labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.data.check.finding import Finding, Severity, named

Indices = NDArray[np.int64]


def twins(groups: Indices, some: Indices, others: Indices) -> Indices:
    """For each of some images that has an equal one among the others, both: [T, 2].

    Args:
        groups: Number of each image's group of equal images, [N].
        some: Positions.
        others: Positions; of several equal ones the first is given.
    """
    first = dict(zip(groups[others][::-1], others[::-1], strict=True))  # the first one stays
    pairs = [(place, first[groups[place]]) for place in some if groups[place] in first]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def leaked(names: Sequence[str], pairs: Indices, *, allowed: bool) -> list[Finding]:
    """Test images that a training may see; an error, unless the user allows it."""
    if not len(pairs):
        return []
    same = f"{which(len(pairs), 'test image')} identical to"
    if allowed:
        sentence = f"{same} others, which `split.allow_duplicates` allows:"
        return [_found("leaked", "warning", sentence, names, pairs)]
    sentence = (
        f"{same} images outside the test split. Remove them from one side, or set "
        "`split.allow_duplicates=true` to test on images that the model may have seen:"
    )
    return [_found("leaked", "error", sentence, names, pairs)]


def in_validation(names: Sequence[str], pairs: Indices) -> list[Finding]:
    """Validation images that a training may see."""
    if not len(pairs):
        return []
    sentence = f"{which(len(pairs), 'validation image')} identical to others:"
    return [_found("validation seen", "warning", sentence, names, pairs)]


def left_out(names: Sequence[str], positions: Indices, reason: str) -> list[Finding]:
    """Unlabeled images that nobody may learn from, for their like were drawn as test images."""
    if not len(positions):
        return []
    sentence = f"{which(len(positions), 'unlabeled image')} left out: {reason}:"
    members = tuple(names[place] for place in positions)
    return [Finding("left out", "note", sentence, members, len(positions))]


def two_labels(
    names: Sequence[str], labels: Indices, classes: Sequence[str], groups: Indices
) -> list[Finding]:
    """Equal images of different classes, of which at most one label can be right."""
    labelled = np.flatnonzero(labels >= 0)
    pairs = np.unique(np.stack([groups[labelled], labels[labelled]]), axis=1)
    torn = np.flatnonzero(np.bincount(pairs[0]) > 1) if pairs.size else np.array([], np.int64)
    if not len(torn):
        return []
    ordered = labelled[np.argsort(groups[labelled], kind="stable")]
    starts = np.searchsorted(groups[ordered], torn, side="left")
    ends = np.searchsorted(groups[ordered], torn, side="right")
    members = tuple(
        " = ".join(f"{names[place]} ({classes[labels[place]]})" for place in ordered[start:end])
        for start, end in zip(starts, ends, strict=True)
    )
    which = "1 image occurs" if len(torn) == 1 else f"{len(torn):,} images occur"
    return [Finding("two labels", "warning", f"{which} with different labels:", members, len(torn))]


def repeated(
    names: Sequence[str], labels: Indices, splits: Indices, groups: Indices
) -> list[Finding]:
    """Equal images with one label in one split: harmless, but they count more than once.

    Args:
        names: Of the images.
        labels: Of the images.
        splits: A number for each image's split, [N].
        groups: Number of each image's group of equal images, [N].
    """
    keys = np.stack([groups, labels, splits], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    firsts = first[inverse.reshape(-1)]
    copies = np.flatnonzero(firsts != np.arange(len(keys)))
    if not len(copies):
        return []
    sentence = f"{which(len(copies), 'image')} a copy of another in the same split:"
    pairs = np.stack([copies, firsts[copies]], axis=1)
    return [_found("repeated", "note", sentence, names, pairs)]


def note_of(finding: Finding) -> str:
    """The finding in one line, for a run's record."""
    if not finding.sentence.endswith(":"):
        return finding.sentence
    return f"{finding.sentence} {named(finding.members, of=finding.total)}"


def which(count: int, noun: str) -> str:
    """`1 image is`, `2 images are`."""
    return f"1 {noun} is" if count == 1 else f"{count:,} {noun}s are"


def _found(
    kind: str, severity: Severity, sentence: str, names: Sequence[str], pairs: Indices
) -> Finding:
    members = tuple(f"{names[one]} = {names[other]}" for one, other in pairs)
    return Finding(kind, severity, sentence, members, len(members))
