"""Numbers as people read them; None is shown as an en dash."""

from collections.abc import Sequence

ABSENT = "–"
MINUS = "−"
LATENCY_DIGITS = ((3, 0.0995), (2, 9.995), (1, 99.95), (0, float("inf")))
"""Digits after the point, and the value below which they are written."""


def percent(share: float | None, *, digits: int = 1) -> str:
    """A share as `53.4 %`."""
    return ABSENT if share is None else f"{hundredths(share, digits=digits)} %"


def hundredths(share: float | None, *, digits: int = 1) -> str:
    """A share as `53.4`, for columns whose head says %."""
    return ABSENT if share is None else f"{100 * share:.{digits}f}"


def points(difference: float | None) -> str:
    """A difference of shares in percentage points, `+7.9`; one that rounds to nothing is `0.0`."""
    if difference is None:
        return ABSENT
    rounded = f"{100 * difference:+.1f}"
    return "0.0" if rounded in ("+0.0", "-0.0") else rounded.replace("-", MINUS)


def count(number: float | None) -> str:
    """A large count in three figures at most: 985, 78 k, 4.9 M."""
    if number is None:
        return ABSENT
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:  # what would round to 1000 of the unit below
            value = number / size
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{number:.0f}"


def exact(number: float | None) -> str:
    """A count in full: 1,300."""
    return ABSENT if number is None else f"{number:,.0f}"


def milliseconds(value: float | None) -> str:
    """A latency with two or three figures: 0.021, 0.83, 12.4, 104."""
    if value is None:
        return ABSENT
    digits = next(digits for digits, end in LATENCY_DIGITS if value < end)
    return f"{value:.{digits}f}"


def nats(value: float | None) -> str:
    """A likelihood: 1.42."""
    return ABSENT if value is None else f"{value:.2f}"


def size(number: float | None) -> str:
    """Bytes as 985 B, 340 kB, 4.9 MB."""
    if number is None:
        return ABSENT
    told = count(number)
    return f"{told}B" if " " in told else f"{told} B"


def duration(seconds: float | None) -> str:
    """A time in its two largest units: 4.2 s, 42 s, 3 min 20 s, 1 h 05 min, 2 d 03 h."""
    if seconds is None:
        return ABSENT
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"


def times(ratio: float) -> str:
    """A ratio as `63 times` or `2.4 times`."""
    return f"{ratio:.0f} times" if ratio >= 9.95 else f"{ratio:.1f} times"


def plural(number: int, noun: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
