"""Settings that stand in place of what is written: values by dotted path, or factors on it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from understudy.core.errors import UsageError
from understudy.core.overrides import overlaid
from understudy.core.settings import Settings
from understudy.core.wording import nearest, shown
from understudy.studies.study import Settled

TIMES = "times"


@runtime_checkable
class Scalable(Protocol):
    """Settings that can be multiplied, as a weight that moves during a training."""

    def times(self, factor: float) -> Settings:
        """The same, so many times as large."""
        ...


def changes_for(
    settled: Iterable[Settled], stage: str, choices: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The changes of a stage under these values of the axes; the first that fits counts."""
    for one in settled:
        if one.stage == stage and one.axes.items() <= choices.items():
            return one.changes
    return {}


def laid_over(
    kind: type[Settings], given: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings of a stage with changes.

    Factors are on what holds, be it written or a default. Settings that are not allowed are left
    as they are: they are told anyway.

    Args:
        kind: Class of the stage's settings.
        given: Settings as they are written.
        changes: By dotted path, the value, or a factor as `{times: 3}`.

    Raises:
        UsageError: There is no such setting, or it is no number to multiply.
    """
    try:
        whole = kind.model_validate(given)
    except ValidationError:
        return dict(given)
    complete = whole.model_dump(mode="json", by_alias=True)
    tops = {path.split(".")[0] for path in changes}
    base = {**{top: complete[top] for top in tops if top in complete}, **given}
    return overlaid(base, {path: _value(whole, path, to) for path, to in changes.items()})


def value_at(settings: Any, path: str) -> Any:
    """What stands at a dotted path of validated settings.

    Raises:
        UsageError: There is no such place.
    """
    here, done = settings, ""
    for part in path.split("."):
        inner = _inside(here)
        if part not in inner:
            raise UsageError(
                f"{path}  is no setting; {done or 'it'} has none called {part!r}. "
                f"{nearest(part, list(inner))}"
            )
        here, done = inner[part], f"{done}.{part}".lstrip(".")
    return here


def _inside(value: Any) -> dict[str, Any]:
    if isinstance(value, Settings):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): inner for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {str(place): inner for place, inner in enumerate(value)}
    return {}


def _value(whole: Settings, path: str, change: Any) -> Any:
    written = value_at(whole, path)
    if not isinstance(change, Mapping) or set(change) != {TIMES}:
        return change
    factor = change[TIMES]
    if isinstance(written, Scalable):
        return {
            key: _rounded(value) if isinstance(value, float) else value
            for key, value in written.times(factor).model_dump(mode="json").items()
        }
    if isinstance(written, bool) or not isinstance(written, int | float):
        raise UsageError(f"{path} = {shown(written)}  is no number, so that no factor is on it")
    product = _rounded(written * factor)
    return int(product) if isinstance(written, int) and product.is_integer() else product


def _rounded(value: float) -> float:
    """Without the last digits of a product: 0.3, not 0.30000000000000004."""
    return float(f"{value:.12g}")
