import json
from pathlib import Path
from typing import Any

from understudy.results.history import read_history, thinned


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(lines))
    return path


def line(step: int, **values: Any) -> str:
    return json.dumps({"step": step, "phase": "train", **values}) + "\n"


def test_a_torn_last_line_is_left_out_with_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "metrics.jsonl", line(10, loss=1.0), '{"step": 20, "lo')

    history = read_history(path)

    assert history.series(phase="train", key="loss") == [(10, 1.0)]
    assert history.notes == ("metrics.jsonl: the last line is torn and was left out.",)


def test_damaged_lines_inside_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "metrics.jsonl", "?\n", "[1]\n", line(10, loss=1.0))

    assert read_history(path).notes == ("metrics.jsonl: 2 damaged lines were left out.",)


def test_an_absent_log_is_empty_without_a_note(tmp_path: Path) -> None:
    history = read_history(tmp_path / "metrics.jsonl")

    assert (history.lines, history.notes) == ((), ())


def test_a_step_that_was_logged_twice_counts_as_logged_last(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", line(10, loss=1.0), line(20, loss=0.9), line(10, loss=0.8))

    assert read_history(path).series(phase="train", key="loss") == [(10, 0.8), (20, 0.9)]


def test_values_that_are_not_finite_are_left_out_of_a_series(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", line(10, loss=None), line(20, loss=float("nan")))

    assert read_history(path).series(phase="train", key="loss") == []


def test_thinning_keeps_the_ends_and_the_level() -> None:
    points = [(float(step), 5.0) for step in range(10_000)]

    few = thinned(points, most=50)

    assert len(few) == 50
    assert (few[0], few[-1]) == (points[0], points[-1])
    assert {value for _, value in few} == {5.0}
    assert few == sorted(few)


def test_thinning_leaves_short_series_alone() -> None:
    points = [(0.0, 1.0), (1.0, 2.0)]

    assert thinned(points, most=2) == points
