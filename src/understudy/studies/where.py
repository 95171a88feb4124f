"""`where:` of a stage: the values of axes for which it is done."""

from collections.abc import Iterator, Mapping
from typing import Any

from understudy.core.wording import named, nearest, shown

WHERE = "where"
"""The key of a stage that says it: `where: {pretraining: [adam, sgd]}`."""


def is_done(where: Mapping[str, Any], choices: Mapping[str, Any]) -> bool:
    """Whether a stage is done for these values.

    Args:
        where: By axis, the name of a value, or a list of names; `seed` is an axis too.
        choices: The value of every axis.
    """
    return all(named(choices[axis]) in _names(asked) for axis, asked in where.items())


def mistakes_of(
    stages: Mapping[str, Mapping[str, Any]], values: Mapping[str, list[Any]]
) -> Iterator[str]:
    """Axes and values that there are not, a sentence each.

    Args:
        stages: Of a study.
        values: What each axis can be, at any scale; the seeds are not looked at.
    """
    for node, stage in stages.items():
        where = stage.get(WHERE, {})
        place = f"stages.{node}.{WHERE}"
        if not isinstance(where, Mapping):
            yield f"{place} = {shown(where)}  must be a mapping of axes, as {{axis: [value, ...]}}"
            continue
        for axis, asked in where.items():
            if axis == "seed":
                continue
            if axis not in values:
                yield f"{place}.{axis}  is no axis; {nearest(str(axis), [*values, 'seed'])}"
                continue
            known = [*map(named, values[axis])]
            strange = [name for name in _names(asked) if name not in known]
            if not _names(asked):
                yield f"{place}.{axis}  names no value, so that it would never be done"
            for name in strange:
                phrase = nearest(name, known)
                yield f"{place}.{axis} = {name}  is no value of this axis; {phrase}"


def _names(asked: Any) -> list[str]:
    return [*map(named, asked)] if isinstance(asked, list | tuple) else [named(asked)]
