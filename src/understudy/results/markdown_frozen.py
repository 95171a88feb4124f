"""Frozen features as tables of Markdown: by themselves, and beside teacher and baseline."""

from collections.abc import Sequence

from understudy.results.comparison import Comparison
from understudy.results.finding import telling
from understudy.results.formats import ABSENT, exact, hundredths, points
from understudy.results.frozen import (
    LABELS,
    Standing,
    average,
    columns,
    held_to_others,
    is_main,
    standings,
)
from understudy.results.markdown_cells import GAINS, at, gain, mean, spread, table
from understudy.results.probes import LINEAR_TOP5, Probed


def frozen(found: Comparison) -> list[str]:
    """What frozen features are worth, by themselves and beside each other."""
    if not found.frozen:
        return []
    metrics = [pair for pair in columns(found.frozen) if is_main(pair[1])]
    titles = {name: what.title for name, what in metrics}
    return [
        "## Frozen features",
        "Per cent of the test images; all other figures are in `rows.csv`.",
        _standings(found, standings(found), metrics),
        *(
            [
                "In top-5:",
                _standings(found, told, [pair for pair in metrics if pair[0] == LINEAR_TOP5]),
            ]
            if (told := held_to_others(standings(found, LINEAR_TOP5)))
            else []
        ),
        table(
            GAINS,
            [
                gain(one, metric, telling(found.frozen_contrasts), titles)
                for one in found.frozen_contrasts
                for metric in titles
                if metric in one.differences
            ],
        ),
    ]


def _standings(
    found: Comparison, every: Sequence[Standing], metrics: Sequence[tuple[str, Probed]]
) -> str:
    """Probed models with what they have of their teachers and over their baselines."""
    together = average(every)
    rows = [
        [
            at(one.line.name, one.line.axes, telling(found.frozen)),
            *(spread(one.line, name) for name, _ in metrics),
            hundredths(one.of_teacher.mean if one.of_teacher else None),
            points(one.over_baseline.mean if one.over_baseline else None),
            exact(mean(one.line, LABELS)),
            str(len({row.run for row in one.line.rows})),
        ]
        for one in every
    ]
    if together is not None:
        rows.append(
            [
                f"mean of all {together.students} students",
                *[ABSENT for _ in metrics],
                hundredths(together.teacher_mean),
                points(together.baseline_mean),
                ABSENT,
                ABSENT,
            ]
        )
    titles = (what.title for _, what in metrics)
    return table(["model", *titles, "% of teacher", "over baseline", "labels", "n"], rows)
