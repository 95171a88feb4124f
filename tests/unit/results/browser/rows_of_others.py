"""Files such as others publish: students of several networks, and their teachers."""

import csv
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

PRETRAININGS = ("far", "near_adam", "near_sgd")
SCHEMES = ("any", "one")
PERCENT = (1, 10, 50, 100)
NETWORKS = ("net50", "net101", "net9")
GAINS = {"net9": -0.02, "net50": -0.01, "net101": 0.015}
"""What each network adds to its teacher's F1."""


def level(pretraining: str, scheme: str, percent: int) -> float:
    """A teacher's F1, of which every mean is known by hand."""
    base = {"far": 0.70, "near_adam": 0.75, "near_sgd": 0.72}[pretraining]
    return base + {1: 0.0, 10: 0.04, 50: 0.08, 100: 0.07}[percent] - 0.03 * (scheme == "any")


def figures(f1: float) -> dict[str, object]:
    """Counts of 1,000 images, and figures that follow from them, but for a wrong F0.5."""
    tp, tn = round(500 * f1), 400
    fp, fn = 500 - tn, 500 - tp
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return {
        "loss": 1.5 - f1,
        "tp": float(tp),
        "fp": float(fp),
        "tn": float(tn),
        "fn": float(fn),
        "accuracy": (tp + tn) / 1000,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
        "f0.5": 1.5 * precision * recall / (0.5 * precision + recall),
        "auc": f1 + 0.05,
    }


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Writes rows as a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def published(folder: Path) -> tuple[Path, Path]:
    """72 students and their 24 teachers; the auc is what the levels say, to the last digit."""
    places = list(product(PRETRAININGS, SCHEMES, PERCENT))
    teachers = [{**_axes(place), "pretrain": False, **figures(level(*place))} for place in places]
    students = [
        {
            **_axes(place),
            "pretrain": False,
            "arch": network,
            **figures(level(*place) + GAINS[network]),
            "auc": level(*place) + 0.05 + GAINS[network],
        }
        for place in places
        for network in NETWORKS
    ]
    return write(folder / "students.csv", students), write(folder / "teachers.csv", teachers)


def _axes(place: tuple[str, str, int]) -> dict[str, object]:
    return dict(zip(("model", "labeling", "split_percent"), place, strict=True))
