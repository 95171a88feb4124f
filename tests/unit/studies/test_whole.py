"""The progress of all runs of a study."""

from pathlib import Path
from typing import NamedTuple, cast

import pytest

from understudy.core.errors import DivergedError
from understudy.core.progress import Progress, Silent
from understudy.studies.execution import Execution
from understudy.studies.executors.executor import Done, Ended, Job
from understudy.studies.numbered import Numbered
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

    def beside(self, title: str = "") -> "Told":  # noqa: ARG002
        return Told()


class TwoAtOnce:
    """An executor whose jobs take 60 seconds each, but for those that fail."""

    is_alone = False
    slots = 2

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self._jobs: list[Job] = []

    @property
    def under_way(self) -> int:
        return len(self._jobs)

    @property
    def room(self) -> int:
        return self.slots - self.under_way

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


class Screen(Told):
    """Lines can change here; those of the runs are kept by their titles."""

    has_bars = True

    def __init__(self) -> None:
        super().__init__()
        self.titles: list[str] = []

    def beside(self, title: str = "") -> "Screen":
        self.titles.append(title)
        return Screen()


def test_on_a_screen_one_run_after_the_other_has_the_same_bar(tmp_path: Path) -> None:
    screen, executor = Screen(), TwoAtOnce()
    executor.is_alone, executor.slots = True, 1

    done(screen, executor, NODES[:2], tmp_path)

    assert screen.seen == [
        ("study: 2 runs", 2),
        ("about 1 min left", 1),
        ("", 1),
        ("end", ""),
    ]
    assert screen.titles == ["teacher, a", "teacher, b"]


class Halfway(TwoAtOnce):
    """A run says how far it is before it ends."""

    def begin(self, job: Job, progress: Progress) -> None:
        super().begin(job, progress)
        progress.begin(f"{job.stage} {job.name}", 4)
        progress.advance()
        progress.advance()
        progress.advance(0, "loss 0.3")


def test_the_time_that_is_left_is_told_between_ends_on_a_screen_alone(tmp_path: Path) -> None:
    screen, pipe = Screen(), Told()

    done(screen, Halfway(), NODES[:4], tmp_path)
    done(pipe, Halfway(), NODES[:4], tmp_path)

    between = [note for note, count in screen.seen if count == 0]
    assert "about 1 min left" in between
    assert all(str(note).endswith(" left") for note in between)
    assert not [note for note, count in pipe.seen if count == 0]


class Run(NamedTuple):
    seconds_left: float | None


@pytest.mark.parametrize(
    ("own", "expected", "later", "left"),
    [
        ({"a": 60.0, "b": 60.0}, {}, 120.0, 120.0),
        ({"a": 60.0, "b": None}, {"b": 30.0}, 30.0, 60.0),
        ({"a": 300.0, "b": 10.0}, {}, 0.0, 300.0),
        ({"a": 60.0, "b": None}, {"b": None}, 120.0, None),
        ({"a": 60.0, "b": 60.0}, {}, None, None),
    ],
    ids=["shared by two", "as runs like it took", "the longest", "one not known", "rest not known"],
)
def test_what_is_left_is_of_those_under_way_and_of_all_others(
    own: dict[str, float | None],
    expected: dict[str, float | None],
    later: float | None,
    left: float | None,
    tmp_path: Path,
) -> None:
    execution = Execution("study", runs=tmp_path, progress=Silent(), executor=TwoAtOnce())
    execution._shown = {key: cast("Numbered", Run(seconds)) for key, seconds in own.items()}
    execution._expected, execution._later = expected, later

    assert execution._time_left() == left


def test_what_builds_on_what_failed_is_named(tmp_path: Path) -> None:
    execution = done(Silent(), TwoAtOnce(failing="a"), NODES, tmp_path)

    assert set(execution.errors) == {"a"}
    assert [one.key for one in execution.left_out(NODES)] == ["x", "y"]


def test_one_run_after_the_other_tells_the_whole_by_itself(tmp_path: Path) -> None:
    told, executor = Told(), TwoAtOnce()
    executor.is_alone, executor.slots = True, 1

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
