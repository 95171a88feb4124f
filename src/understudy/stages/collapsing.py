"""What is said of a collapse: while the run goes on, at its end, and in its summary.

The log is the memory: its lines of validation hold `collapsed` and `features_collapsed`, 1 or 0, so
a resumed run neither repeats what was said nor forgets it. What the method compares, projections or
assignments to prototypes, mostly collapses first, and the backbone's features may stay as they are:
which of them it is, is said.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any, NamedTuple

from understudy.core.run import Run
from understudy.evaluation.collapse import Division, Extent
from understudy.stages.training import read_log

FEATURES, PROJECTIONS, ASSIGNMENTS = "features", "projections", "assignments"
"""What is judged, as it is called in a sentence; what comes last, by the log's `groups`."""
SETTLED = 50  # steps: until then batch norm's statistics remember their start (0.9^50 = 0.5 %)
BEGINNING = 0.1
"""Share of a training in which equal assignments are no collapse: behind DINO's plain head all
images are assigned alike at first, and some steps are needed to leave that."""
WHAT_TO_TRY = (
    "What may help: a lower `plan.optimizer.learning_rate`; a longer `plan.schedule.warmup`; what "
    "the method has against it (its momentum, its predictor, its temperatures, its weight of "
    "variance or of other images); another method."
)

Judged = Mapping[str, Extent | Division]
"""By `FEATURES` and the others, those that are there."""


class Collapsed(NamedTuple):
    """What is collapsed at a look."""

    anything: bool
    features: bool


def hears(run: Run, judged: Judged, *, steps: int) -> Collapsed:
    """What is collapsed now; what is worse than at the last look, or over, is said.

    Args:
        run: Its log tells the step, and what was said before.
        judged: What was seen.
        steps: Of the whole training.
    """
    log = read_log(run)
    was = [_collapsed(line) for line in _observed(log)[-1:]] or [Collapsed(False, False)]
    step = log[-1]["step"] if log else 0
    narrow = [
        name
        for name, one in judged.items()
        if one.is_collapsed and step >= max(SETTLED, BEGINNING * steps * (name == ASSIGNMENTS))
    ]
    now = Collapsed(anything=bool(narrow), features=FEATURES in narrow)
    if now > was[0]:
        but = "" if now.features else f", not in the {FEATURES}"
        run.progress.warn(
            f"{run.stage} {run.name}: collapsing at step {step:,}, images come to look alike in "
            f"the {' and the '.join(narrow)}{but}: {_told(judged)}. {WHAT_TO_TRY}"
        )
    elif was[0].anything and not now.anything:
        run.progress.warn(
            f"{run.stage} {run.name}: no longer collapsed at step {step:,}: {_told(judged)}"
        )
    return now


def last_words(run: Run) -> list[str]:
    """Says at the end what `collapses` notes, and returns it."""
    found = collapses(run)
    for sentence in found:
        run.progress.warn(f"{run.stage} {run.name}: {sentence[0].lower()}{sentence[1:]}")
    return found


def collapses(run: Run) -> list[str]:
    """What the summary notes of collapses: one sentence, or none where the log tells of none."""
    seen = _observed(read_log(run))
    alike = [line for line in seen if _collapsed(line).anything]
    if not alike:
        return []
    now = _collapsed(seen[-1])
    of_features = now.features or (
        not now.anything and any(_collapsed(line).features for line in alike)
    )
    other = ASSIGNMENTS if "groups" in alike[-1] else PROJECTIONS
    name = FEATURES if of_features else other

    def at(line: dict[str, Any]) -> bool:
        return _collapsed(line).features if of_features else _collapsed(line).anything

    if not now.anything:
        steps = [line["step"] for line in seen if at(line)]
        when = (
            f"at step {steps[0]:,}"
            if len(steps) == 1
            else f"between steps {steps[0]:,} and {steps[-1]:,}"
        )
        return [f"The {name} were collapsed {when}, and were not at the end."]
    steps = [line["step"] for line in takewhile(at, reversed(seen))]
    since = f"at step {steps[0]:,}" if len(steps) == 1 else f"since step {steps[-1]:,}"
    if of_features:
        return [
            f"The {FEATURES} are collapsed {since}: to the network images look nearly alike, and "
            "what starts from it may inherit that."
        ]
    return [
        f"The {name} are collapsed {since}, and the {FEATURES} are not at the end: the backbone "
        "tells images apart, but the method hardly does, and so teaches it little."
    ]


def _observed(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in log if line["phase"] == "validation"]


def _collapsed(line: Mapping[str, Any]) -> Collapsed:
    return Collapsed(bool(line.get("collapsed")), bool(line.get("features_collapsed")))


def _told(judged: Judged) -> str:
    return "; ".join(f"{name} {_in_words(one)}" for name, one in judged.items())


def _in_words(one: Extent | Division) -> str:
    if isinstance(one, Division):
        return f"to prototypes divide images into {one.groups:.2f} groups of one size"
    return (
        f"have {_percent(one.spread)} of the spread of unit vectors in all directions and an "
        f"effective rank of {one.effective_rank:.1f} of {one.dimensions:,}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "less than 1 %"
