"""Everything that is wrong or odd with a set of images, at once; nothing here stops."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from understudy.core.errors import DataError
from understudy.data.carve import TOO_SMALL
from understudy.data.check.alike import ACROSS, APART, WITHIN, alike, of_kind
from understudy.data.check.classes import few, missing, uneven
from understudy.data.check.duplicates import Indices, repeated, twins
from understudy.data.check.files import files, flat, unusable
from understudy.data.check.finding import Finding, complaint, errors_of
from understudy.data.check.inspection import Inspection
from understudy.data.check.layouts import bands_apart
from understudy.data.check.shapes import shapes
from understudy.data.check.thumbnail import thumbnail
from understudy.data.fingerprint import groups_of
from understudy.data.labels import share_of
from understudy.data.sources.listing import mistakes
from understudy.data.splits import SplitSettings, divided

SPLITS = ("train", "val", "test", "unlabeled")
ORDER = {"error": 0, "warning": 1, "note": 2}
MOST_MEMBERS = 100  # of each finding that a run keeps
MOST_OF_A_KIND = 8  # pairs shown as pictures; a run keeps their pixels
MOST_SIZES = 8
SHARES = (0.01, 0.03, 0.1, 0.25, 0.5, 1.0)
"""Of the labels, that a scheme's counts are told for: those of SimCLR-S2."""


class Twosome(NamedTuple):
    """Two images to be looked at side by side."""

    kind: str
    one: int
    other: int
    """Positions among the readable images."""
    of: int
    """How many pairs of the kind there are."""


class Check:
    """What a set of images is, and what was found.

    Args:
        inspection: What was seen of every image.
        settings: How the splits are made.
        scheme: Name of the scheme that says what the images are called; "" for none.
        others: What the images are under further schemes.
    """

    def __init__(
        self,
        inspection: Inspection,
        settings: SplitSettings,
        *,
        scheme: str = "",
        others: Sequence["Check"] = (),
    ) -> None:
        self.inspection, self.settings = inspection, settings
        self.scheme, self.others = scheme, others
        self._names, self._labels = inspection.names, inspection.labels
        self._groups = groups_of(inspection.fingerprints)
        self.splits, self._of_splits = divided(inspection, settings)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The gravest first."""
        inspection, listing = self.inspection, self.inspection.listing
        found = [*self.errors, *bands_apart(listing)]
        if len(inspection.readable) and listing.classes:
            found += [
                *inspection.notes,
                *(one for one in self._of_splits if one.severity != "error"),
                *missing(listing.classes, self.counts, given=self.given),
                *few(listing.classes, self.counts),
                *uneven(listing.classes, self.counts),
                *alike(
                    inspection.near,
                    self._names,
                    self.split_names,
                    self._labels,
                    inspection.shapes,
                ),
                *repeated(self._names, self._labels, self._split_numbers, self._groups),
            ]
        found += [*files(inspection), *flat(inspection, self.split_names), *shapes(inspection)]
        return tuple(sorted(found, key=lambda one: ORDER[one.severity]))

    @cached_property
    def errors(self) -> tuple[Finding, ...]:
        """Why no training can start."""
        arrangement = mistakes(self.inspection.listing)
        # Of images that cannot be arranged, no split can be judged.
        of_splits = [] if arrangement else errors_of(self._of_splits)
        told = [one for one in of_splits if not self._follows(one)]
        of_schemes = [
            one._replace(sentence=f"scheme {other.scheme}: {one.sentence}")
            for other in self.others
            for one in other.errors
            if one not in arrangement
        ]
        return (*arrangement, *unusable(self.inspection), *told, *of_schemes)

    def _follows(self, found: Finding) -> bool:
        """Whether classes are too small for no other reason than their unreadable images."""
        broken = {self.inspection.classes[label] for label in np.flatnonzero(self.unreadable)}
        return found.kind == TOO_SMALL and broken.issuperset(found.members)

    def must_serve(self) -> None:
        """Refuses images that no training can use.

        Raises:
            DataError: With all that stands against them.
        """
        if self.errors:
            raise DataError(complaint(self.errors, origin=self.inspection.listing.origin))

    @property
    def given(self) -> tuple[str, ...]:
        """The splits that the data came with."""
        named = {entry.split for entry in self.inspection.listing.entries}
        return tuple(name for name in SPLITS if name in named)

    @cached_property
    def unreadable(self) -> Indices:
        """Unreadable images of each class, [K]."""
        listing = self.inspection.listing
        labels = [
            entry.label
            for entry, look in zip(listing.entries, self.inspection.looks, strict=True)
            if look.reason and entry.label >= 0
        ]
        return np.bincount(np.array(labels, dtype=np.int64), minlength=len(listing.classes))

    @cached_property
    def counts(self) -> Mapping[str, Indices]:
        """Readable images of each class in each split, [K]."""
        classes = len(self.inspection.classes)
        return {
            name: np.bincount(self._labels[members][self._labels[members] >= 0], minlength=classes)
            for name, members in self._members()
        }

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """Of every readable image; "" for one that is left out."""
        names = ("", *SPLITS)
        return tuple(names[number] for number in self._split_numbers)

    @cached_property
    def _split_numbers(self) -> Indices:
        numbers = np.zeros(len(self._labels), dtype=np.int64)
        for number, (_, members) in enumerate(self._members(), start=1):
            numbers[members] = number
        return numbers

    def _members(self) -> Iterator[tuple[str, Indices]]:
        for name in SPLITS:
            yield name, getattr(self.splits, name)

    def shares(self) -> dict[str, Any]:
        """How many labels each share of them is, by class; the test set is the same for all."""

        def few(split: str, label: int) -> list[int]:
            return [share_of(int(self.counts[split][label]), share) for share in SHARES]

        return {
            "scheme": self.scheme,
            "pool": len(self.splits.train) + len(self.splits.unlabeled),
            "shares": list(SHARES),
            "classes": [
                {
                    "class": name,
                    "train": few("train", label),
                    "val": few("val", label),
                    "test": int(self.counts["test"][label]),
                }
                for label, name in enumerate(self.inspection.classes)
            ],
        }

    def summary(self) -> str:
        """Errors and warnings in one line; "" where there are none."""
        told = [
            f"{len(found)} {word}{'s' if len(found) > 1 else ''} ({kinds})"
            for word in ("error", "warning")
            if (found := [one for one in self.findings if one.severity == word])
            for kinds in [", ".join(dict.fromkeys(one.kind for one in found))]
        ]
        return "; ".join(told)

    def as_json(self, *, most: int | None = MOST_MEMBERS) -> dict[str, Any]:
        """All of it for people and programs, with the pairs as pictures.

        Args:
            most: How many members of a finding are listed; None: all.
        """
        listing, looks = self.inspection.listing, self.inspection.looks
        good = [look for look in looks if not look.reason]
        sizes = Counter((look.width, look.height) for look in good)
        sides = sorted(sizes, key=lambda size: size[0] * size[1])
        return {
            "images": len(looks),
            "readable": len(good),
            "given": list(self.given),
            "splits": {name: len(members) for name, members in self._members()},
            "left_out": int(np.sum(self._split_numbers == 0)),
            "classes": [
                {
                    "class": name,
                    **{split: int(self.counts[split][label]) for split in SPLITS[:3]},
                    "unreadable": int(self.unreadable[label]),
                }
                for label, name in enumerate(listing.classes)
            ],
            "schemes": [one.shares() for one in (self, *self.others) if one.scheme],
            "formats": dict(Counter(look.format for look in good if look.format).most_common()),
            "bands": list(listing.bands),
            "modes": dict(Counter(look.mode for look in good).most_common()),
            "orientations": {
                str(turn): count
                for turn, count in sorted(Counter(look.orientation for look in good).items())
            },
            "sizes": {
                "different": len(sizes),
                "smallest": list(sides[0]) if sides else None,
                "largest": list(sides[-1]) if sides else None,
                "most_common": [[*size, n] for size, n in sizes.most_common(MOST_SIZES)],
            },
            "ignored": dict(listing.ignored),
            "leaked": len(np.intersect1d(self.splits.leaked, self.splits.test)),
            "findings": [
                {**one._asdict(), "members": list(one.members[:most])} for one in self.findings
            ],
            "pairs": [self._pair(pair) for pair in self._twosomes()],
        }

    def _twosomes(self) -> Iterator[Twosome]:
        """The pairs worth a look, a few of each kind, the gravest kinds first."""
        equal: dict[str, list[Twosome]] = {}
        splits, groups, outside = self.splits, self._groups, self._outside
        for kind, pairs in (
            ("identical across test", twins(groups, splits.test, outside("test"))),
            ("identical, two labels", self._torn()),
            ("identical across validation", twins(groups, splits.val, outside("val", "test"))),
        ):
            equal[kind] = [Twosome(kind, int(a), int(b), len(pairs)) for a, b in pairs]
        for kind in (ACROSS, APART, WITHIN):
            near = of_kind(kind, self.inspection.near, self.split_names, self._labels)
            equal[kind] = [Twosome(kind, int(a), int(b), len(near)) for a, b, _ in near]
        for found in equal.values():
            yield from found[:MOST_OF_A_KIND]

    def _outside(self, *names: str) -> Indices:
        return np.concatenate([members for name, members in self._members() if name not in names])

    def _torn(self) -> Indices:
        """Pairs of equal images with different labels."""
        labelled = np.flatnonzero(self._labels >= 0)
        first = np.unique(self._groups[labelled], return_index=True)[1]
        firsts = {self._groups[labelled[place]]: labelled[place] for place in first}
        pairs = [
            (firsts[self._groups[place]], place)
            for place in labelled
            if self._labels[firsts[self._groups[place]]] != self._labels[place]
        ]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def _pair(self, pair: Twosome) -> dict[str, Any]:
        images = [self._shown(position) for position in (pair.one, pair.other)]
        return {"kind": pair.kind, "of": pair.of, "images": images}

    def _shown(self, position: int) -> dict[str, str]:
        listing, label = self.inspection.listing, int(self._labels[position])
        return {
            "name": self._names[position],
            "split": self.split_names[position],
            "class": listing.classes[label] if label >= 0 else "",
            "picture": thumbnail(listing, int(self.inspection.readable[position])),
        }
