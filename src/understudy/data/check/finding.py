"""Something that a look at the images found: how grave it is, a sentence, and who is concerned."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
"""No training starts; numbers may mislead; good to know."""

MOST_NAMED = 10  # names in a sentence of an error: what fits on a screen


class Finding(NamedTuple):
    """One finding; the data's folder is named by who shows it."""

    kind: str
    """A word to group and count by."""
    severity: Severity
    sentence: str
    """Stands alone; where it ends with a colon, the members are to be listed below it."""
    members: tuple[str, ...] = ()
    """Images concerned, the first ones where there are very many."""
    total: int = 0
    """How many are concerned; 0 where the finding is about the whole."""


def of_members(
    kind: str,
    severity: Severity,
    members: tuple[str, ...],
    *,
    one: str,
    many: str,
    then: str,
) -> list[Finding]:
    """One finding of all these images, or none where there are none.

    Args:
        kind: A word to group and count by.
        severity: How grave it is.
        members: The images concerned.
        one: Goes on behind the number 1: `image is`.
        many: Goes on behind any other number: `images are`.
        then: The rest of the sentence.
    """
    if not members:
        return []
    count = len(members)
    head = f"1 {one}" if count == 1 else f"{count:,} {many}"
    return [Finding(kind, severity, f"{head}{then}", members, count)]


def errors_of(findings: Sequence[Finding]) -> list[Finding]:
    """Those that stop a training."""
    return [found for found in findings if found.severity == "error"]


def complaint(findings: Sequence[Finding], *, origin: str = "") -> str:
    """The message of an error that tells all of these at once.

    Args:
        findings: At least one.
        origin: The data, as messages name it.
    """
    told = [line for found in findings for line in lines_of(found)]
    if len(findings) > 1:
        head = f"{len(findings)} mistakes in the images"
        return "\n".join([f"{origin}: {head}" if origin else head, *(f"  {x}" for x in told)])
    return "\n".join([f"{origin}: {told[0]}" if origin else told[0], *told[1:]])


def lines_of(finding: Finding) -> list[str]:
    """The sentence, and the first of its members where it introduces them."""
    if not finding.sentence.endswith(":"):
        return [finding.sentence]
    shown = finding.members[:MOST_NAMED]
    more = finding.total - len(shown)
    listed = [*shown, *([f"... and {more:,} more"] if more > 0 else [])]
    return [finding.sentence, *(f"  {line}" for line in listed)]


def named(names: Sequence[str], *, of: int | None = None) -> str:
    """The first names, and how many more there are; `of` where only the first are at hand."""
    more = (len(names) if of is None else of) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
