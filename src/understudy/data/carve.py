"""A share of every class, carved out without parting what belongs together."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.data.check.finding import Finding, named
from understudy.data.shuffle import shuffled

Indices = NDArray[np.int64]
TOO_SMALL = "too small to split"
"""The kind of a finding whose members are classes of too few images."""


class Carver(NamedTuple):
    """Draws bundles, which are all images that must stay on one side of a split.

    A bundle may hold several classes, as a scene does: what one class draws then counts for the
    others too. Classes of few bundles draw first, for they have the least choice.
    """

    labels: Indices
    """[N]"""
    bundles: Indices
    """[N]: the number of each image's bundle."""
    classes: Sequence[str]
    seed: int
    has_groups: bool
    """Whether bundles may be more than copies of one image, so that messages say so."""

    def carve(
        self,
        candidates: Indices,
        *,
        share: float,
        name: str,
        parts_left: int,
        of: Indices | None = None,
    ) -> tuple[Indices, Indices, list[Finding]]:
        """The rest and the part, both sorted, and the classes that have too few bundles for it.

        Args:
            candidates: Positions to choose from.
            share: Of each class's images, met as nearly as whole bundles in their random order
                do it and leave enough to the rest.
            name: Of the part, for its random order and for messages.
            parts_left: Into how many parts the rest must still be divided.
            of: The images that `share` is a share of; by default the candidates.
        """
        labels, bundles = self.labels[candidates], self.bundles[candidates]
        having, holdings = _holdings(labels, bundles)
        whole = labels if of is None else self.labels[of]
        total = np.bincount(whole[whole >= 0], minlength=len(self.classes))
        left = Counter({label: len(own) for label, own in having.items()})
        drawn: Counter[int] = Counter()
        taken: set[int] = set()
        for label in sorted(range(len(self.classes)), key=lambda label: left[label]):
            own = np.array(having[label], dtype=np.int64)
            wanted = max(1, round(share * int(total[label])))
            purpose = f"split/{name}/{self.classes[label]}"
            for bundle in shuffled(own, seed=self.seed, purpose=purpose).tolist():
                if drawn[label] >= wanted:
                    break
                inside = holdings[bundle]
                missing = wanted - drawn[label]
                is_nearer = not drawn[label] or abs(inside[label] - missing) <= missing
                is_spare = all(left[other] > parts_left for other in inside)
                if bundle not in taken and is_nearer and is_spare:
                    taken.add(bundle)
                    drawn.update(inside)
                    left.subtract(inside.keys())
        short = {
            label: (int(total[label]), len(having[label]))
            for label in range(len(self.classes))
            if not drawn[label]
        }
        refused = [self._refusal(short, name=name, needed=parts_left + 1)] if short else []
        part = np.isin(bundles, np.array(sorted(taken), dtype=np.int64))
        return candidates[~part], candidates[part], refused

    def _refusal(self, short: dict[int, tuple[int, int]], *, name: str, needed: int) -> Finding:
        """Why these classes, with their numbers of images and bundles, cannot be divided."""
        told = tuple(
            f"{self.classes[label]!r} has "
            + (f"{images} in {bundles} of them" if self.has_groups else f"{bundles}")
            for label, (images, bundles) in short.items()
        )
        what = (
            "images in at least {} groups apart"
            if self.has_groups
            else "at least {} different ones"
        )
        entangled = any(bundles >= needed for _, bundles in short.values())
        sentence = (
            f"Cannot split off {name} images: every class needs {what.format(needed)}, "
            f"and {named(told)}. Add images to these classes, take the classes away, "
            f"or give the {name} split yourself."
            # Enough bundles, but these hold other classes too, which needed them elsewhere.
            + (" Another `split.seed` may also do." if entangled else "")
        )
        names = tuple(self.classes[label] for label in short)
        return Finding(TOO_SMALL, "error", sentence, names, len(names))


def _holdings(
    labels: Indices, bundles: Indices
) -> tuple[dict[int, list[int]], dict[int, Counter[int]]]:
    """The bundles of each class, in the order of their images, and the images in each bundle."""
    labelled = np.flatnonzero(labels >= 0)
    having: dict[int, list[int]] = defaultdict(list)
    holdings: dict[int, Counter[int]] = defaultdict(Counter)
    if not len(labelled):
        return having, holdings
    pairs = np.stack([bundles[labelled], labels[labelled]])
    found, firsts, counts = np.unique(pairs, axis=1, return_index=True, return_counts=True)
    for place in np.argsort(firsts):
        bundle, label = int(found[0, place]), int(found[1, place])
        having[label].append(bundle)
        holdings[bundle][label] = int(counts[place])
    return having, holdings
