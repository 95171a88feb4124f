"""What a study tried, in words: shared by screen, page, Markdown and findings."""

from understudy.core.monitors import MONITORS, Monitor
from understudy.results.formats import ABSENT, hundredths, nats
from understudy.results.tuned import Candidate, Tuned

NO_SCORE = {"failed": "diverged", "pending": "not trained"}


def reading(one: Tuned) -> str:
    """What was tried, for what, and by what it was chosen."""
    where = "each of its settings" if one.tuned == one.settings else _best_of(one)
    return (
        f"{', '.join(one.paths)} of “{one.stage}” was chosen for {where}. What was tried was "
        f"trained with seed {one.seed} and compared by {one.monitor} on validation images; no test "
        "image was looked at."
    )


def _best_of(one: Tuned) -> str:
    return (
        f"{one.tuned} of its {one.settings} settings, those that did best on validation as "
        "written; the others keep what is written"
    )


def outcome(one: Tuned) -> str:
    """How many of them took something else than what is written."""
    taken = [each for each in one.candidates if each.is_taken and each.score is not None]
    others = sum(not each.is_written for each in taken)
    return (
        f"{others} of them took another value than the written one."
        if others
        else ("All of them kept what is written.")
    )


def limits(one: Tuned) -> str:
    """What tuning only some settings costs; "" where all were tuned."""
    if one.tuned == one.settings or not one.tuned:
        return ""
    return (
        f"Only {one.tuned} of {one.settings} settings of “{one.stage}” were tuned; the others "
        "might do better than they are shown to."
    )


def head(one: Tuned) -> str:
    """Of the column of scores."""
    if one.monitor == "top1":
        return "validation %"
    monitor = _monitor(one)
    return f"validation {monitor.title}{' %' if monitor.is_share else ''}"


def score(one: Tuned, each: Candidate) -> str:
    """What a candidate scored, or why it has no score."""
    if each.score is None:
        return NO_SCORE.get(each.status, ABSENT)
    monitor = _monitor(one)
    value = monitor.value(each.score)
    return hundredths(value) if monitor.is_share else nats(value)


def _monitor(one: Tuned) -> Monitor:
    """What decided; of a name that nobody knows, as of NLL, which is told as it is."""
    return MONITORS.get(one.monitor, MONITORS["nll"])


def mark(each: Candidate) -> str:
    """`taken`, `as written`, both, or neither."""
    words = [("taken", each.is_taken), ("as written", each.is_written)]
    return ", ".join(word for word, holds in words if holds) or ABSENT
