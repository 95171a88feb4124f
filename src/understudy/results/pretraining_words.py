"""What became of features while networks learned without labels, in sentences from their logs."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from understudy.results.calling import calling
from understudy.results.formats import percent, plural
from understudy.results.records import Entry, StudyRecord


def learning_without_labels(record: StudyRecord) -> Iterator[str]:
    """Of pretrainings, and of students without a classifier, each by themselves."""
    for stage, named in (("pretrain", "pretraining"), ("distill", "distillation of features")):
        found = [e for e in record.entries if e.stage == stage and len(knn_of(e)) > 1]
        if not found:
            continue
        name_of = calling(found)
        by_name: dict[str, list[list[tuple[float, float]]]] = {}
        for entry in found:
            by_name.setdefault(name_of(entry), []).append(knn_of(entry))
        if len(by_name) == 1:
            yield _one_way(named, [knn_of(entry) for entry in found])
            continue
        ways = [f"{name} from {' to '.join(_ends(own))}" for name, own in by_name.items()]
        yield (
            f"During {named} the k-NN accuracy of the frozen features went, first look to last: "
            f"{', '.join(ways)} ({plural(len(found), 'run')})."
        )


def _one_way(named: str, series: Sequence[list[tuple[float, float]]]) -> str:
    first, last = _ends(series)
    rose = fmean(knn[-1][1] for knn in series) > fmean(knn[0][1] for knn in series)
    runs = "one run" if len(series) == 1 else f"mean of {len(series)} runs"
    return (
        f"During {named} the k-NN accuracy of the frozen features "
        f"{'rose' if rose else 'did not rise:'} from {first} to {last} ({runs})."
    )


def _ends(series: Sequence[list[tuple[float, float]]]) -> tuple[str, str]:
    """The means of the first and of the last looks, in per cent."""
    first, last = (percent(fmean(knn[place][1] for knn in series)) for place in (0, -1))
    return first, last


def knn_of(entry: Entry) -> list[tuple[float, float]]:
    """k-NN accuracy by step; empty for trainings that do not log it."""
    return entry.run.history.series(phase="validation", key="knn_top1")
