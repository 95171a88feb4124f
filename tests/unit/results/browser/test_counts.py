import pytest
from sklearn.metrics import accuracy_score, fbeta_score, precision_score, recall_score

from understudy.evaluation.counts import FROM_COUNTS, Counts
from understudy.results.browser.counts import disagreements
from understudy.results.browser.sheet import Run

COUNTS = Counts(tp=30, fp=12, tn=41, fn=17)
LABELS = [1] * 30 + [0] * 12 + [0] * 41 + [1] * 17
ANSWERS = [1] * 30 + [1] * 12 + [0] * 41 + [0] * 17


def test_figures_of_counts_are_those_of_scikit_learn() -> None:
    expected = {
        "accuracy": accuracy_score(LABELS, ANSWERS),
        "precision": precision_score(LABELS, ANSWERS),
        "recall": recall_score(LABELS, ANSWERS),
        "specificity": recall_score(LABELS, ANSWERS, pos_label=0),
        "f1": fbeta_score(LABELS, ANSWERS, beta=1.0),
        "f0.5": fbeta_score(LABELS, ANSWERS, beta=0.5),
        "f2": fbeta_score(LABELS, ANSWERS, beta=2.0),
    }

    assert {name: figure(COUNTS) for name, figure in FROM_COUNTS.items()} == pytest.approx(expected)


def test_only_what_differs_is_told_and_what_is_undefined_is_not() -> None:
    counts = {name: float(value) for name, value in COUNTS._asdict().items()}
    right = Run("a", {}, {**counts, "f1": 0.6742, "recall": 0.638})
    wrong = Run("b", {}, {**counts, "f1": 0.7, "recall": 0.6383})
    empty = Run("c", {}, {**dict.fromkeys(counts, 0.0), "f1": 0.0, "recall": 0.0})

    (told,) = disagreements([right, wrong, empty])

    assert told.startswith("f1 is not what tp, fp, tn and fn give in 1 of 2 rows, such as 0.7000")
