"""What the command line makes of a study: other parameters, a scale, other seeds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from understudy.core.errors import UsageError
from understudy.core.overrides import overlaid, parse_overrides, with_data_path
from understudy.core.wording import headed, nearest, shown
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
    """The study with the command line's `key=value` words; `seeds=` and `scale=` are among them.

    Raises:
        UsageError: Some word is wrong; all are named.
    """
    return _without_mistakes(understood(study, words), study)


def understood(study: Study, words: Sequence[str]) -> Understood:
    """What could be made of the words, and what is wrong with the others.

    Raises:
        UsageError: A word is no `key=value` at all.
    """
    return made_of(study, parse_overrides(words))


def made_of(study: Study, given: Mapping[str, Any]) -> Understood:
    """As `understood`, of values by dotted key; `scale`, `seeds` and `machine` are among them."""
    overrides = dict(given)
    asked = {key: overrides.pop(key) for key in ("scale", "seeds") if key in overrides}
    machine = {key: overrides.pop(key) for key in list(overrides) if is_around("machine", key)}
    computing = overlaid({}, machine).get("machine", {})
    found = _understood(
        study,
        overrides,
        machine=computing if isinstance(computing, dict) else {},
        **{key: "" if value is None else value for key, value in asked.items()},
    )
    if isinstance(computing, dict):
        return found
    wrong = f"machine = {shown(computing)}  must be a mapping of keys, or machine.KEY=VALUE"
    return found._replace(mistakes=[*found.mistakes, wrong])


def configured(
    study: Study, overrides: Mapping[str, Any], *, scale: Any = None, seeds: Any = None
) -> Study:
    """The study with parameters changed; what was asked for goes over what a scale says.

    Args:
        study: As its file states it.
        overrides: Values by dotted key; `data=PATH` is short for `data.path`.
        scale: Name of one of the study's scales.
        seeds: Values, as a number, a list, or text such as "1,2,3".

    Raises:
        UsageError: A parameter, the scale or the seeds are not known or not read; all are named.
    """
    return _without_mistakes(_understood(study, overrides, scale=scale, seeds=seeds), study)


def _without_mistakes(found: Understood, study: Study) -> Study:
    if found.mistakes:
        raise UsageError(headed(study.origin, found.mistakes))
    return found.study


def _understood(
    study: Study,
    overrides: Mapping[str, Any],
    *,
    scale: Any = None,
    seeds: Any = None,
    machine: Any = None,
) -> Understood:
    if isinstance(study.parameters.get("data"), dict):
        overrides = with_data_path(overrides)
    strange = unknown(overrides, study.parameters, study.read)
    mistakes = list(strange.values())
    if scale is not None and (not isinstance(scale, str) or scale not in study.scales):
        mistakes.append(_unknown_scale(study, scale))
        scale = None
    read = _seeds(seeds) if seeds is not None else study.seeds
    if not read:
        mistakes.append(f"seeds = {shown(seeds)}  must be values such as 1,2,3: each once, >= 0")

    known = {key: value for key, value in overrides.items() if key not in strange}
    if known.get(BUDGET) is not None:
        seconds_of(known[BUDGET])  # refused here, so that a plan refuses it too
    chosen = dict(study.scales.get(scale, {})) if scale else {}
    reduced = chosen.pop("reduced", None)
    scaled = overlaid(study.parameters, chosen, origin=f"{study.origin}, scale {scale}")
    changed = dataclasses.replace(
        study,
        parameters=overlaid(scaled, known, origin=study.origin),
        seeds=read or study.seeds,
        scale=scale or study.scale,
        reduced=reduced or study.reduced,
        machine=machine or study.machine,
    )
    return Understood(changed, mistakes)


def _unknown_scale(study: Study, scale: Any) -> str:
    if not study.scales:
        return f"scale = {shown(scale)}  this study has no scales"
    return f"scale = {shown(scale)}  unknown; {nearest(str(scale), list(study.scales))}"


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
