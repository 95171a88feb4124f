"""What the command line makes of a study: other parameters, a scale, other seeds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from understudy.core.errors import UsageError
from understudy.core.overrides import overlaid, parse_overrides, with_data_path
from understudy.core.wording import headed, named, nearest, shown
from understudy.studies.parameters import BUDGET, is_around, unknown
from understudy.studies.study import Study
from understudy.studies.time_limit import seconds_of

MOST_SEED = 2**63 - 1  # what torch's generators take


class Understood(NamedTuple):
    """A study as far as it could be configured."""

    study: Study
    mistakes: list[str]
    """What is wrong with the rest, a sentence each."""


def with_words(study: Study, words: Sequence[str]) -> Study:
    """The study with the command line's `key=value` words.

    Raises:
        UsageError: Some word is wrong; all are named.
    """
    found = made_of(study, parse_overrides(words))
    if found.mistakes:
        raise UsageError(headed(study.origin, found.mistakes))
    return found.study


def made_of(study: Study, given: Mapping[str, Any]) -> Understood:
    """What becomes of a study with other values, and which of them cannot be.

    Args:
        study: As its file states it.
        given: Values by dotted key: parameters, where `data=PATH` is short for `data.path`, and
            beside them `scale`, `seeds` (a number, a list, or text such as "1,2,3"), `machine`,
            and axes: a list of values, or text such as "soft_label,dist". What is asked for here
            goes over what a scale says.
    """
    overrides = dict(given)
    asked = {
        key: _said(overrides.pop(key))
        for key in ("scale", "seeds", *study.axes)
        if key in overrides
    }
    computing = {key: overrides.pop(key) for key in list(overrides) if is_around("machine", key)}
    machine = overlaid({}, computing).get("machine", {})
    if isinstance(study.parameters.get("data"), dict):
        overrides = with_data_path(overrides)

    strange = unknown(overrides, study.parameters, study.read)
    mistakes = list(strange.values())
    scale = asked.get("scale")
    if scale is not None and (not isinstance(scale, str) or scale not in study.scales):
        mistakes.append(_unknown_scale(study, scale))
        scale = None
    chosen = dict(study.scales.get(scale, {})) if scale else {}
    reduced = chosen.pop("reduced", None)
    around = {key: chosen.pop(key) for key in ("seeds", *study.axes) if key in chosen}
    around |= asked
    seeds = _seeds(around["seeds"]) if "seeds" in around else study.seeds
    if not seeds:
        told = shown(around["seeds"])
        mistakes.append(f"seeds = {told}  must be values such as 1,2,3: each once, >= 0")
    axes = {}
    for axis, values in study.axes.items():
        picked = picked_of(study.stated_axes[axis], around[axis]) if axis in around else None
        axes[axis] = values if picked is None or picked.mistakes else picked.values
        mistakes += [f"{axis} = {told}" for told in (picked.mistakes if picked else ())]
    if not isinstance(machine, dict):
        told = shown(machine)
        mistakes.append(f"machine = {told}  must be a mapping of keys, or machine.KEY=VALUE")
        machine = {}

    known = {key: value for key, value in overrides.items() if key not in strange}
    if known.get(BUDGET) is not None:
        seconds_of(known[BUDGET])  # refused here, so that a plan refuses it too
    scaled = overlaid(study.parameters, chosen, origin=f"{study.origin}, scale {scale}")
    changed = dataclasses.replace(
        study,
        parameters=overlaid(scaled, known, origin=study.origin),
        axes=axes,
        seeds=seeds or study.seeds,
        scale=scale or study.scale,
        reduced=reduced or study.reduced,
        machine=machine or study.machine,
    )
    return Understood(changed, mistakes)


def _said(value: Any) -> Any:
    """A word without a value, such as `seeds=`, was asked for and says nothing."""
    return "" if value is None else value


def _unknown_scale(study: Study, scale: Any) -> str:
    if not study.scales:
        return f"scale = {shown(scale)}  this study has no scales"
    return f"scale = {shown(scale)}  unknown; {nearest(str(scale), list(study.scales))}"


class Picked(NamedTuple):
    """Values of an axis."""

    values: tuple[Any, ...]
    mistakes: list[str]
    """What is wrong with each that cannot be."""


def picked_of(stated: Sequence[Any], asked: Any) -> Picked:
    """The values of an axis that were asked for: those of the file by their names, or others.

    Args:
        stated: The file's.
        asked: A list, one value, or text such as "soft_label,dist".
    """
    known = {named(value): value for value in stated}
    listed = asked.split(",") if isinstance(asked, str) else asked
    entries = [*listed] if isinstance(listed, list | tuple) else [listed]
    found = [known.get(each.strip(), each) if isinstance(each, str) else each for each in entries]
    has_names = any(isinstance(value, Mapping) for value in stated)
    mistakes = [
        f"{shown(each)}  is no value of this axis; {nearest(str(each), list(known))}"
        for each in found
        if each not in stated and (isinstance(each, str) or isinstance(each, Mapping) != has_names)
    ]
    if len({named(each) for each in found}) < len(found) or not found:
        mistakes.append(f"{shown(asked)}  must be one value or several, each once")
    return Picked(tuple(found), mistakes)


def _seeds(asked: Any) -> tuple[int, ...]:
    """The seeds, or none where they are not different whole numbers from 0."""
    values = asked.split(",") if isinstance(asked, str) else asked
    found = [_seed(value) for value in (values if isinstance(values, list) else [values])]
    seeds = tuple(seed for seed in found if seed is not None)
    return seeds if len(set(seeds)) == len(found) else ()


def _seed(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value <= MOST_SEED else None
