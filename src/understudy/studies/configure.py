"""What the command line makes of a study: other parameters, a scale, other seeds."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from understudy.core.errors import UsageError
from understudy.core.overrides import overlaid, parse_overrides, with_data_path
from understudy.core.wording import closest, headed, nearest, shown
from understudy.studies.filling import references_in
from understudy.studies.study import Study
from understudy.studies.time_limit import seconds_of

MOST_SEED = 2**63 - 1  # what torch's generators take


def with_words(study: Study, words: Sequence[str]) -> Study:
    """The study with the command line's `key=value` words; `seeds=` and `scale=` are among them.

    Raises:
        UsageError: Some word is wrong; all are named.
    """
    overrides = parse_overrides(words)
    asked = {key: overrides.pop(key) for key in ("scale", "seeds") if key in overrides}
    return configured(
        study,
        overrides,
        **{key: "" if value is None else value for key, value in asked.items()},
    )


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
    if isinstance(study.parameters.get("data"), dict):
        overrides = with_data_path(overrides)
    chosen = dict(study.scales.get(scale, {})) if isinstance(scale, str) else {}
    read = _seeds(seeds) if seeds is not None else study.seeds
    mistakes = [
        *_unknown(study, overrides),
        *([] if scale is None or scale in study.scales else [_unknown_scale(study, scale)]),
        *(
            []
            if read
            else [f"seeds = {shown(seeds)}  must be values such as 1,2,3: each once, >= 0"]
        ),
    ]
    if mistakes:
        raise UsageError(headed(study.origin, mistakes))

    if overrides.get("budget") is not None:
        seconds_of(overrides["budget"])  # refused here, so that a plan refuses it too
    reduced = chosen.pop("reduced", None)
    scaled = overlaid(study.parameters, chosen, origin=f"{study.origin}, scale {scale}")
    return dataclasses.replace(
        study,
        parameters=overlaid(scaled, overrides, origin=study.origin),
        seeds=read,
        scale=scale or study.scale,
        reduced=reduced or study.reduced,
    )


def _unknown(study: Study, overrides: Mapping[str, Any]) -> Iterator[str]:
    """Keys that no parameter has, and keys inside parameters that no stage reads."""
    read = {
        path
        for place in (study.stages, study.budget, study.parameters, study.axes)
        for path in references_in(place)
    }
    for key in overrides:
        name = key.split(".")[0]
        if name not in study.parameters:
            yield f"{key}  unknown parameter; {_nearest_key(key, study.parameters)}"
        elif name == "budget" and study.budget:
            continue  # it is read before the stages are
        elif not any(_is_around(key, path) or _is_around(path, key) for path in read):
            beside = sorted(path for path in read if path.split(".")[0] == name)
            yield f"{key}  is read by no stage of this study; read: {', '.join(beside) or 'none'}"


def _nearest_key(key: str, parameters: Mapping[str, Any]) -> str:
    keys = [*_keys(parameters), "seeds", "scale"]
    same_end = (path for path in keys if path.endswith(f".{key}"))
    close = "seeds" if key == "seed" else next(same_end, None) or closest(key, keys)
    guess = f"did you mean {close!r}? " if close else ""
    return f"{guess}Known: {', '.join(sorted([*parameters, 'seeds', 'scale']))}"


def _keys(values: Any, before: str = "") -> Iterator[str]:
    """Every dotted key, outer ones first."""
    if isinstance(values, Mapping):
        yield from (f"{before}{key}" for key in values)
        for key, inner in values.items():
            yield from _keys(inner, f"{before}{key}.")


def _is_around(outer: str, inner: str) -> bool:
    return f"{inner}.".startswith(f"{outer}.")


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
