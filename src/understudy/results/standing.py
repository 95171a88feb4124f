"""How far a run is, and why it is not finished: from what its files say."""

from pathlib import Path
from typing import Any

from understudy.results.formats import duration, exact, hundredths, milliseconds
from understudy.results.inventory import Stored
from understudy.results.records import RunRecord
from understudy.results.values import listing, mapping, number, read_object, text, whole

CHECKPOINTS = ("last", "previous", "best")
FIGURES = (("top-1", "top1"), ("F1", "macro_f1"), ("ECE", "ece"), ("agreement", "agreement"))


def standing(run: Stored) -> str:
    """A sentence on the state of a run."""
    if run.state == "finished":
        seconds = number(run.record.summary.get("seconds"))
        return f"finished, in {duration(seconds)}" if seconds else "finished"
    if run.state == "damaged":
        return f"damaged: {' '.join(run.record.notes)}"
    if run.state == "running":
        return f"running: a process works in it{_reached(run.record)}"
    if run.state == "failed":
        return f"failed: {run.error or 'its study does not say why'}"
    return f"not finished: it was stopped{_reached(run.record)}; its command goes on from there"


def _reached(record: RunRecord) -> str:
    """The last step that it logged, and the step that it would go on from."""
    logged = [whole(line.get("step")) or 0 for line in record.history.lines]
    saved = _saved(record.path)
    parts = [
        f"at step {exact(max(logged))}" if logged else "before its first logged step",
        f"with a checkpoint of step {exact(saved)}" if saved is not None else "without checkpoint",
    ]
    return f" {', '.join(parts)}"


def _saved(path: Path) -> int | None:
    steps = [
        whole(read_object(path / "checkpoints" / slot / "state.json")[0].get("step"))
        for slot in CHECKPOINTS
    ]
    return max((step for step in steps if step is not None), default=None)


def figures(record: RunRecord) -> list[str]:
    """What its summary says in numbers, a line each."""
    summary = record.summary
    lines = [
        f"{slot}: step {exact(whole(facts.get('step')))}{_validation(facts)}"
        for slot, facts in ((s, mapping(f)) for s, f in mapping(summary.get("checkpoints")).items())
    ]
    for one in map(mapping, listing(summary.get("evaluations"))):
        told = [f"{name} {hundredths(number(one.get(key)))} %" for name, key in FIGURES]
        latency = milliseconds(number(one.get("latency_ms_1")))
        lines.append(
            f"{text(one.get('run'))} ({text(one.get('checkpoint'))}): {', '.join(told)}, "
            f"{latency} ms on the {text(summary.get('split'))} split"
        )
    parity = mapping(summary.get("parity"))
    if parity:
        lines.append(
            f"{text(summary.get('file'))}: answers like the run on "
            f"{hundredths(number(parity.get('agreement')))} % of "
            f"{exact(number(parity.get('images')))} images"
        )
    return lines


def _validation(facts: dict[str, Any]) -> str:
    share = number(facts.get("val_top1"))
    return "" if share is None else f", {hundredths(share)} % of the validation images"
