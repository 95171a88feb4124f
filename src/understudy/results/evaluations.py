"""What evaluations on the test split tell of one model, run by run."""

from typing import Any, NamedTuple

from understudy.results.comparison import Comparison, Line
from understudy.results.records import IDENTITY_LENGTH, Entry, StudyRecord
from understudy.results.values import listing, mapping, text, texts

Figures = dict[str, Any]
"""One model's figures on the test split, as an evaluation wrote them."""


class Evaluation(NamedTuple):
    """One run of a model, and what an evaluation says of it."""

    entry: Entry
    """The evaluation's own."""
    classes: tuple[str, ...]
    figures: Figures


def evaluations_of(record: StudyRecord, line: Line) -> list[Evaluation]:
    """The first evaluation of each of the line's runs, at the line's checkpoint."""
    found = evaluations_by_model(record)
    own = dict.fromkeys((row.identity, line.checkpoint) for row in line.rows)
    return [found[model] for model in own if model in found]


def evaluations_by_model(record: StudyRecord) -> dict[tuple[str, str], Evaluation]:
    """The first evaluation of each model on the test split, by identity and checkpoint."""
    found: dict[tuple[str, str], Evaluation] = {}
    for entry in record.having("evaluations"):
        if entry.run.summary.get("split") != "test":
            continue
        for one in map(mapping, listing(entry.run.summary.get("evaluations"))):
            model = text(one.get("identity"))[:IDENTITY_LENGTH], text(one.get("checkpoint"))
            if model not in found:
                names = texts(entry.run.summary.get("classes"))
                found[model] = Evaluation(entry, names, one)
    return found


def best_student(comparison: Comparison) -> Line | None:
    """The student to look at closely: the last checkpoint with the best validation accuracy.

    Never chosen by test accuracy. Without any student, the best model at all.
    """
    tested = [
        line
        for line in comparison.at("last") or comparison.lines
        if any(row.test_top1 is not None for row in line.rows)
    ]
    students = [line for line in tested if line.is_student] or tested

    def validation(line: Line) -> float:
        cell = line.cell("val_top1")
        return cell.mean if cell else 0.0

    return max(students, key=validation, default=None)
