"""What a study found, in sentences computed from its rows; nothing here is written by hand."""

from collections.abc import Iterator, Sequence

from understudy.results.cautions import cautions
from understudy.results.comparison import Comparison, Contrast
from understudy.results.facts import facts
from understudy.results.finding import Finding, began, called, pairs, place, setting
from understudy.results.formats import listed, percent, plural, points
from understudy.results.leaks import sign
from understudy.results.probes import LINEAR
from understudy.results.records import StudyRecord
from understudy.results.run_cautions import examples
from understudy.results.tables import Difference

METRICS = {
    "test_top1": "test accuracy",
    "val_top1": "validation accuracy",
    LINEAR: "linear-probe accuracy",
}
"""What a gain is told in: the test split where it was looked at, else validation; or a probe."""
ROLES = ("baseline", "reference", "teacher", "member")
"""What is told first."""
WHAT = {
    "pretrain": "pretraining",
    "finetune": "fine-tuning",
    "distill": "distillation",
    "mutual": "mutual learning",
    "fixmatch": "FixMatch",
    "ensemble": "the ensemble",
}
"""What a sentence over many settings calls what is judged."""
MOST_SENTENCES = 4  # settings told one by one; more are counted


def findings(record: StudyRecord, comparison: Comparison) -> list[Finding]:
    """Every sentence about a study: results first, then facts, then what limits them."""
    return [
        *_results(comparison.contrasts),
        *_results(comparison.frozen_contrasts),
        *facts(record, comparison),
        *cautions(record, comparison),
    ]


def _results(contrasts: Sequence[Contrast]) -> Iterator[Finding]:
    all_told = [one for one in contrasts if metric_of(one)]
    roles = [(role, one.other) for role in ROLES for one in all_told]
    for role, against in dict.fromkeys(roles):
        told = [one for one in all_told if (one.role, one.other) == (role, against)]
        last = [one for one in told if one.checkpoint == "last"] or told
        if len(last) > MOST_SENTENCES:
            yield Finding("result", _counted(last))
            continue
        for contrast in last:
            yield Finding("result", _sentence(contrast, told, last))


def metric_of(contrast: Contrast) -> str | None:
    """The metric in which this gain is told."""
    return next((metric for metric in METRICS if metric in contrast.differences), None)


def _sentence(contrast: Contrast, told: Sequence[Contrast], last: Sequence[Contrast]) -> str:
    metric = metric_of(contrast) or ""
    where = place(contrast, last)
    if not where and contrast.role == "reference":  # of two values one is left to be told
        there = contrast.against.axes
        where = setting({axis: at for axis, at in contrast.axes.items() if there.get(axis) != at})
    parts = [f"{where}: " if where else "", _gain(contrast, metric)]
    best = next((other for other in told if _is_best_of(contrast, other)), None)
    if best is not None and metric in best.differences:
        beside = best.differences[metric]
        parts.append(f" At the checkpoint best on validation: {_points(best, metric)}")
        parts.append(f" ({_interval(beside)})." if beside.n > 1 else ".")
    return "".join(parts)


def _is_best_of(contrast: Contrast, other: Contrast) -> bool:
    same = (contrast.study, contrast.axes, contrast.of.name, contrast.of.configuration)
    return (
        contrast.checkpoint == "last"
        and other.checkpoint == "best"
        and contrast.other == other.other
        and same == (other.study, other.axes, other.of.name, other.of.configuration)
    )


def _gain(contrast: Contrast, metric: str) -> str:
    difference = contrast.differences[metric]
    of, against = called(contrast.of.name), called(contrast.other)
    gain, name = _points(contrast, metric), METRICS[metric]
    if difference.n == 1:
        alone = "With one seed" if difference.seeds != (None,) else "With one run of each"
        return (
            f"{alone}, {of} differs from {against} by {gain} in {name} "
            f"({_levels(contrast, metric)})."
        )
    evidence = f"{_interval(difference)}, {pairs(difference)}"
    if not difference.is_shown:
        return f"No difference shown in {name} between {of} and {against}: {gain} ({evidence})."
    verb = "beats" if difference.mean > 0 else "is behind"
    return (
        f"{began(of)} {verb} {against} by {gain} in {name} ({evidence}; "
        f"{_levels(contrast, metric)})."
    )


def _points(contrast: Contrast, metric: str) -> str:
    mark = sign((*contrast.of.rows, *contrast.against.rows), metric)
    return f"{points(contrast.differences[metric].mean)}{mark} points"


def _levels(contrast: Contrast, metric: str) -> str:
    return " against ".join(
        percent(cell.mean if cell else None) + sign(line.rows, metric)
        for line in (contrast.of, contrast.against)
        for cell in [line.cell(metric)]
    )


def _interval(difference: Difference) -> str:
    if difference.low is None:
        return "equal in all seeds, which gives no interval"
    return f"95 % interval {points(difference.low)} to {points(difference.high)}"


def _counted(contrasts: Sequence[Contrast]) -> str:
    """One sentence over many settings."""
    found = [(one, metric_of(one) or "") for one in contrasts]
    differences = [one.differences[metric] for one, metric in found]
    shown = [(one, one.differences[metric]) for one, metric in found]
    shown = [(one, difference) for one, difference in shown if difference.is_shown]
    better = [place(one, contrasts) for one, difference in shown if difference.mean > 0]
    worse = [place(one, contrasts) for one, difference in shown if difference.mean < 0]
    single = sum(difference.n == 1 for difference in differences)
    unclear = len(found) - len(shown) - single
    against = called(contrasts[0].other)
    counts = (
        (len(better), f"beats {against} in {len(better)} ({examples(better)})"),
        (len(worse), f"is behind {against} in {len(worse)} ({examples(worse)})"),
        (unclear, f"shows no difference in {unclear}"),
        (single, f"has one seed, and so no spread, in {single}"),
    )
    parts = listed([told for number, told in counts if number])
    ranked = sorted(found, key=lambda pair: pair[0].differences[pair[1]].mean)
    low, high = (f"{_points(*one)} ({place(one[0], contrasts)})" for one in (ranked[0], ranked[-1]))
    first, metric = found[0]
    stages = {one.of.stage for one, _ in found}
    what = WHAT.get(stages.pop(), "each") if len(stages) == 1 else "each"
    return (
        f"Over {plural(len(found), 'setting')}, {what} {parts} "
        f"({METRICS[metric]}, {first.checkpoint} checkpoint, 95 % intervals over "
        f"{_evidence(differences)}). Differences run from {low} to {high}."
    )


def _evidence(differences: Sequence[Difference]) -> str:
    """What intervals are over: seeds on both sides, or on one of them alone."""
    several = [one for one in differences if one.n > 1]
    with_one = sum(one.is_with_one_run for one in several)
    if not with_one:
        return "paired seeds"
    if with_one == len(several):
        return "seeds against one run"
    return f"paired seeds, in {with_one} over seeds against one run"
