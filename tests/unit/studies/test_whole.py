"""The progress of all runs of a study."""

from pathlib import Path

import pytest

from understudy.core.errors import DivergedError
from understudy.core.progress import Progress, Silent
from understudy.studies.execution import Execution
from understudy.studies.executors.executor import Done, Ended, Job
from understudy.studies.plan import Node, Parent


class Told(Silent):
    """Remembers what is shown of the whole; the runs are shown beside it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []

    def begin(self, title: str, total: int) -> None:
        self.seen.append((title, total))

    def advance(self, count: int = 1, note: str = "") -> None:
        self.seen.append((note, count))

    def end(self, note: str = "") -> None:
        self.seen.append(("end", note))

    def beside(self) -> "Told":
        return Told()


class TwoAtOnce:
    """An executor whose jobs take 60 seconds each, but for those that fail."""

    slots = 2

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self._jobs: list[Job] = []

    @property
    def under_way(self) -> int:
        return len(self._jobs)

    def begin(self, job: Job, progress: Progress) -> None:  # noqa: ARG002
        self._jobs.append(job)

    def ended(self, within: float | None = None) -> list[Ended]:  # noqa: ARG002
        job = self._jobs.pop(0)
        if job.key == self.failing:
            return [Ended(job, DivergedError("left the finite numbers"))]
        return [Ended(job, Done(Path(job.key), job.key, {"seconds": 60.0}, False))]


def node(key: str, after: str = "") -> Node:
    parents = {"teacher": Parent("teacher", after)} if after else {}
    return Node("student" if after else "teacher", "train", 1, {"key": key}, {}, parents, key)


NODES = [node("a"), node("b"), node("c"), node("d"), node("x", after="a"), node("y", after="a")]


def done(progress: Progress, executor: TwoAtOnce, nodes: list[Node], runs: Path) -> Execution:
    execution = Execution("study", runs=runs, progress=progress, executor=executor)
    execution.do(nodes, after_each=lambda: None)
    return execution


def test_all_runs_have_one_bar_with_the_time_that_is_left(tmp_path: Path) -> None:
    told = Told()

    done(told, TwoAtOnce(), NODES[:4], tmp_path)

    assert told.seen[0] == ("study: 4 runs", 4)
    assert told.seen[1:4] == [
        ("about 2 min left", 1),
        ("about 1 min left", 1),
        ("less than a minute left", 1),
    ]
    assert told.seen[-1] == ("end", "")


def test_what_builds_on_what_failed_is_named(tmp_path: Path) -> None:
    execution = done(Silent(), TwoAtOnce(failing="a"), NODES, tmp_path)

    assert set(execution.errors) == {"a"}
    assert [one.key for one in execution.left_out(NODES)] == ["x", "y"]


def test_one_run_after_the_other_tells_the_whole_by_itself(tmp_path: Path) -> None:
    told, executor = Told(), TwoAtOnce()
    executor.slots = 1

    done(told, executor, NODES[:2], tmp_path)

    assert told.seen == []


@pytest.mark.parametrize(
    ("count", "last"), [(2, "  student, key y, seed 1"), (30, "  and 20 x student")]
)
def test_a_screen_of_runs_that_were_not_done_at_most(count: int, last: str) -> None:
    from understudy.studies.running import _left_out

    left = [NODES[4], *([NODES[5]] * (count - 1))]

    lines = _left_out(left).splitlines()

    assert lines[0] == f"not done: {count} runs build on what failed"
    assert lines[-1] == last
    assert len(lines) <= 12
