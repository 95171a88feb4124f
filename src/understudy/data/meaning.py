"""What packed images are called under the scheme of a run, and whose test images it must not see.

One pack serves all schemes: labels, classes and given splits are laid over it when it is opened.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from understudy.data.check.duplicates import Indices
from understudy.data.check.finding import Finding, errors_of
from understudy.data.check.inspection import Inspection
from understudy.data.pack import Pack
from understudy.data.schemes import Called, SchemeSettings, called, of_no_class
from understudy.data.settings import DataSettings
from understudy.data.splits import SplitSettings, divided


class Opposed(NamedTuple):
    """The images that a run must not learn from, for other schemes test with them."""

    positions: Indices
    findings: tuple[Finding, ...]


def pack_under(settings: DataSettings, pack: Pack) -> Pack:
    """The pack as a run with these settings sees it; what speaks against that was told before."""
    out = _kept_out(settings, pack).positions
    scheme = settings.chosen_scheme
    if scheme is not None:
        pack = _relabelled(pack, _called(pack, scheme, settings.split))
    elif pack.tags:
        pack = _relabelled(pack, of_no_class(pack.given))
    return pack._replace(kept_out=out)


def inspection_under(settings: DataSettings, inspection: Inspection) -> Inspection:
    """The same of what was seen of the images, with what speaks against it among the problems."""
    opposed = _kept_out(settings, inspection)
    scheme = settings.chosen_scheme
    problems = list(opposed.findings)
    found = inspection
    if scheme is not None:
        named = _called(inspection, scheme, settings.split)
        problems += named.findings
        found = _renamed(inspection, named)
    elif tags := inspection.listing.tags:
        problems += [_no_classes(settings, tags)] if settings.needs_classes else []
        found = _renamed(inspection, of_no_class(inspection.given), tags=tags)
    told = (*found.listing.problems, *(one for one in problems if one.severity == "error"))
    notes = tuple(one for one in problems if one.severity != "error")
    return found._replace(
        listing=found.listing._replace(problems=told), kept_out=opposed.positions, notes=notes
    )


def _called(images: Pack | Inspection, scheme: SchemeSettings, split: SplitSettings) -> Called:
    return called(images.names, images.label_sets, images.given, scheme, seed=split.seed)


def _relabelled(pack: Pack, found: Called) -> Pack:
    return pack._replace(
        labels=found.labels, classes=found.classes, given=found.given, meaning=found.meaning
    )


def _renamed(inspection: Inspection, found: Called, tags: tuple[str, ...] = ()) -> Inspection:
    """Entries that cannot be read have no label: only unlabeled ones may be so in a pack."""
    entries = [one._replace(label=-1, tags=None) for one in inspection.listing.entries]
    for position, label, given in zip(
        inspection.readable.tolist(), found.labels.tolist(), found.given, strict=True
    ):
        entries[position] = entries[position]._replace(label=label, split=given)
    listing = inspection.listing._replace(entries=tuple(entries), classes=found.classes, tags=tags)
    return inspection._replace(listing=listing, meaning=found.meaning)


def _kept_out(settings: DataSettings, images: Pack | Inspection) -> Opposed:
    """The test images of the schemes that `split.keep_out` names."""
    positions: list[Indices] = [np.empty(0, dtype=np.int64)]
    findings: list[Finding] = []
    for name in settings.split.keep_out:
        if name == settings.scheme:  # its test images are out of what it learns from anyway
            continue
        named = _called(images, settings.schemes[name], settings.split)
        under = _relabelled(images, named) if isinstance(images, Pack) else _renamed(images, named)
        splits, found = divided(under, settings.split)
        positions.append(splits.test)
        findings += [
            one._replace(sentence=f"scheme {name}, which is to be kept out: {one.sentence}")
            for one in errors_of([*named.findings, *found])
        ]
    return Opposed(np.unique(np.concatenate(positions)), tuple(findings))


def _no_classes(settings: DataSettings, tags: Sequence[str]) -> Finding:
    known = ", ".join(settings.schemes)
    what = (
        f"choose one of the schemes with `scheme=`: {known}"
        if known
        else "say what makes a class: schemes.NAME.classes={CLASS: [LABEL, ...]} "
        "schemes.NAME.otherwise=CLASS scheme=NAME"
    )
    shown = ", ".join(tags[:10]) + (", ..." if len(tags) > 10 else "")
    sentence = f"images have several labels each ({shown}), and no scheme; {what}."
    return Finding("no scheme", "error", sentence)
