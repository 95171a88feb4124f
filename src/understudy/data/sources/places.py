"""Whether the places that settings of images name are there, asked before anything heavy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from understudy.core.settings import Settings
from understudy.data.sources import AnySource
from understudy.data.sources.digits import DigitsSettings
from understudy.data.sources.listing import existing


class _Images(Settings):
    """As every stage has them, so that what is left out is filled in alike."""

    data: AnySource = DigitsSettings()


def places_must_exist(data: Any) -> None:
    """Looks whether every path that a source names is there, and at nothing else.

    Args:
        data: The settings of a source as they are given. Where they are no such settings nothing is
            said: whoever builds them tells all that is wrong with them.

    Raises:
        UsageError: A place does not exist; the nearest name that does is given.
    """
    if not isinstance(data, Mapping):
        return
    try:
        source = _Images.model_validate({"data": data}).data
    except ValidationError:
        return
    for name, value in source:
        if isinstance(value, Path):
            existing(value, key=f"data.{name}")
