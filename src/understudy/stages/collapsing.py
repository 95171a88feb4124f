"""What is said of a collapse: while the run goes on, at its end, and in its summary.

The log is the memory: its lines of validation hold `collapsed`, 1 or 0, so a resumed run neither
repeats what was said nor forgets it.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from understudy.core.run import Run
from understudy.evaluation.collapse import Extent
from understudy.stages.training import read_log

SETTLED = 50  # steps: until then batch norm's statistics remember their start (0.9^50 = 0.5 %)
WHAT_TO_TRY = (
    "What may help: a lower `plan.optimizer.learning_rate`; a longer `plan.schedule.warmup`; what "
    "the method has against it (its momentum, its predictor, its weight of variance or of other "
    "images); another method."
)


def hears(run: Run, extents: Mapping[str, Extent]) -> bool:
    """Whether features are collapsed now; what has changed since the last look is said.

    Args:
        run: Its log tells the step, and what was said before.
        extents: By the name of the features in a sentence, in the plural.
    """
    log = read_log(run)
    was = any(line.get("collapsed") for line in _observed(log)[-1:])
    step = log[-1]["step"] if log else 0
    narrow = {name: one for name, one in extents.items() if one.is_collapsed}
    now = bool(narrow) and step >= SETTLED
    if now and not was:
        run.progress.warn(
            f"{run.stage} {run.name}: collapsing at step {step:,}, images come to look alike: "
            f"{_told(narrow)}. {WHAT_TO_TRY}"
        )
    elif was and not now:
        run.progress.warn(
            f"{run.stage} {run.name}: no longer collapsed at step {step:,}: {_told(extents)}"
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
    narrow = [line for line in seen if line.get("collapsed")]
    if not narrow:
        return []
    if not seen[-1].get("collapsed"):
        first, last = narrow[0]["step"], narrow[-1]["step"]
        when = f"at step {first:,}" if first == last else f"between steps {first:,} and {last:,}"
        return [f"The features or projections were collapsed {when}, and were not at the end."]
    stretch = list(takewhile(lambda line: line.get("collapsed"), reversed(seen)))
    first, last = stretch[-1]["step"], stretch[0]["step"]
    since = f"at step {last:,}" if first == last else f"since step {first:,}"
    return [
        f"The features or projections are collapsed {since}: to the network images look nearly "
        "alike, and what starts from it may inherit that."
    ]


def _observed(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in log if line["phase"] == "validation"]


def _told(extents: Mapping[str, Extent]) -> str:
    return "; ".join(
        f"{name} have {_percent(one.spread)} of the spread of unit vectors in all directions and "
        f"an effective rank of {one.effective_rank:.1f} of {one.dimensions:,}"
        for name, one in extents.items()
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "less than 1 %"
