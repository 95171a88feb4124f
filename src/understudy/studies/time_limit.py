"""A time as people write it."""

import re
from typing import Any

from understudy.core.errors import UsageError

UNITS = {"s": 1, "min": 60, "h": 3600}


def seconds_of(limit: Any) -> float:
    """Reads `30min`, `2h`, `90s`.

    Raises:
        UsageError: It is something else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h)", str(limit).strip())
    if not found or float(found[1]) == 0:
        raise UsageError(f"budget = {limit!r}  must be a time such as 90s, 30min or 2h.")
    return float(found[1]) * UNITS[found[2]]
