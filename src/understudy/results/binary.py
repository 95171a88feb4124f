"""What evaluations tell of the class that is looked for among two, as numbers by name."""

from collections.abc import Mapping
from typing import Any

from understudy.results.values import mapping, number

PREFIX = "test_"
FIGURES = ("precision", "recall", "f1", "f0.5", "auc")
COUNTS = ("tp", "fp", "tn", "fn")
METRICS = tuple(f"{PREFIX}{name}" for name in (*FIGURES, *COUNTS))
"""Columns of rows, counts last."""
TITLES = {
    "test_f1": "test F1",
    "test_f0.5": "test F0.5",
    "test_precision": "test precision",
    "test_recall": "test recall",
    "test_auc": "test AUC",
    "test_tp": "true positives",
    "test_fp": "false positives",
    "test_tn": "true negatives",
    "test_fn": "false negatives",
}


def figures_of_two(told: Any) -> dict[str, float]:
    """Those that are defined, by name without the prefix; none where there are other than two."""
    found: Mapping[str, Any] = mapping(told)
    values = {name: number(found.get(name)) for name in (*FIGURES, *COUNTS)}
    return {name: value for name, value in values.items() if value is not None}
