"""Images of one group, such as a scene or a patient, on both sides of a split."""

from collections.abc import Sequence

import numpy as np

from understudy.data.check.duplicates import Indices, which
from understudy.data.check.finding import Finding


def parted(groups: Indices, some: Indices, others: Indices) -> Indices:
    """For each group with images on both sides the first of each side: [G, 2].

    Args:
        groups: Number of each image's group, [N]; -1 for none.
        some: Positions.
        others: Positions.
    """
    first, second = (
        {groups[index]: index for index in side[::-1] if groups[index] >= 0}  # the first one stays
        for side in (some, others)
    )
    pairs = [(first[group], second[group]) for group in sorted(first.keys() & second.keys())]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def without_group(names: Sequence[str], groups: Sequence[str]) -> list[Finding]:
    """Images of no group, where others have one: each stands alone."""
    alone = tuple(name for name, group in zip(names, groups, strict=False) if not group)
    if not alone:
        return []
    sentence = f"{len(alone):,} of {len(groups):,} images belong to no group:"
    return [Finding("no group", "note", sentence, alone, len(alone))]


def shared_groups(
    names: Sequence[str], groups: Sequence[str], pairs: Indices, *, allowed: bool
) -> list[Finding]:
    """Groups of test images of which a training may see others; an error, unless allowed."""
    if not len(pairs):
        return []
    members = _members(names, groups, pairs)
    shared = f"{which(len(pairs), 'group')} in the test split and outside of it"
    if allowed:
        sentence = f"{shared}, which `split.allow_shared_groups` allows:"
        return [Finding("shared groups", "warning", sentence, members, len(members))]
    sentence = (
        f"{shared}. Put each on one side, or set `split.allow_shared_groups=true` to test on "
        "images of groups that the model may have seen:"
    )
    return [Finding("shared groups", "error", sentence, members, len(members))]


def groups_in_validation(
    names: Sequence[str], groups: Sequence[str], pairs: Indices
) -> list[Finding]:
    """Groups of validation images of which a training may see others."""
    if not len(pairs):
        return []
    members = _members(names, groups, pairs)
    sentence = f"{which(len(pairs), 'group')} in the validation split and outside of it:"
    return [Finding("validation groups", "warning", sentence, members, len(members))]


def _members(names: Sequence[str], groups: Sequence[str], pairs: Indices) -> tuple[str, ...]:
    return tuple(f"{groups[one]!r} ({names[one]}, {names[other]})" for one, other in pairs)
