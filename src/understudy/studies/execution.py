"""Does runs of a study, each when those that it builds on are there, and remembers what came."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from understudy.core.errors import BusyError, UnderstudyError
from understudy.core.progress import Progress
from understudy.core.run import known_keys
from understudy.studies.executors.executor import Done, Ended, Executor, Job
from understudy.studies.labels import brief, label
from understudy.studies.numbered import Numbered
from understudy.studies.plan import Node
from understudy.studies.remaining import seconds_left, waiting
from understudy.studies.whole import Whole

SECONDS_BETWEEN_LOOKS = 2.0  # at a run that another process is doing; a look costs a tenth of one


class Execution:
    """What is known of each run while a study is carried out.

    Args:
        study: Name of the study, to head messages.
        runs: Root of all runs.
        progress: Where to show how far it is.
        executor: What does the runs.
    """

    def __init__(self, study: str, *, runs: Path, progress: Progress, executor: Executor) -> None:
        self.study, self.runs = study, runs
        self.progress, self.executor = progress, executor
        self.paths: dict[str, Path] = {}
        """Of the finished runs, by key; so are the following."""
        self.identities: dict[str, str] = {}
        self.summaries: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, UnderstudyError] = {}
        self.found: set[str] = set()
        """Those that were finished before."""
        self._elsewhere: dict[str, float] = {}
        """Of runs that other processes are doing: when to ask again."""
        self._shown: dict[str, Numbered] = {}
        """Of the runs under way."""
        self._expected: dict[str, float | None] = {}
        """Seconds of the runs that have begun, by those like them."""
        self._later: float | None = None
        """Seconds of the runs that have not."""

    def do(
        self,
        nodes: Iterable[Node],
        *,
        then: Sequence[Node] = (),
        part: str = "",
        after_each: Callable[[], None],
    ) -> None:
        """Does those that were not done or tried before.

        A run that fails takes with it only those that build on it; the others go on.

        Args:
            nodes: Runs, each after those that it builds on.
            then: Runs that will follow, for an estimate of the time.
            part: What these are to the study, where they are not all of it.
            after_each: Called when a run has been finished.
        """
        todo = list(nodes)
        every = {node.key: node for node in (*todo, *then)}
        stages = {node.stage for node in every.values()}
        known = set().union(*(known_keys(self.runs, stage=stage) for stage in stages))
        titles = {
            node.key: f"[{part}{number} of {len(todo)}] {label(node)}"
            for number, node in enumerate(todo, start=1)
        }
        if self.progress.has_bars:  # the whole has a line that counts; theirs have little room
            titles = brief({node.key: node for node in todo})
        whole = Whole(self.progress, f"{self.study}: {part}{len(todo)} runs", len(todo))
        is_told_apart = self.progress.has_bars or not self.executor.is_alone
        with whole if is_told_apart else nullcontext():
            while True:
                for node in self._ready(todo)[: self.executor.room]:
                    todo.remove(node)
                    begun = (*self._shown, node.key)
                    self._later = self._seconds(every.values(), known, begun=begun)
                    self._expected[node.key] = self._seconds_of([node], every.values())
                    self._begin(node, titles[node.key], whole, is_told_apart=is_told_apart)
                if not self.executor.under_way and not self._elsewhere:
                    return
                for ended in self._ended():
                    if isinstance(ended.result, BusyError):
                        self._wait_for(ended)
                        todo.append(every[ended.job.key])
                        continue
                    self._elsewhere.pop(ended.job.key, None)
                    self._remember(ended)
                    rest = self._seconds(every.values(), known)
                    whole.advance(rest / self.executor.slots if rest else None)
                    if ended.job.key in self.paths:
                        after_each()

    def _ended(self) -> Sequence[Ended]:
        """What has ended; nothing where it is time to ask again for what others do."""
        if not self._elsewhere:
            return self.executor.ended()
        pause = max(0.0, min(self._elsewhere.values()) - time.monotonic())
        if self.executor.under_way:
            return self.executor.ended(within=pause)
        time.sleep(pause)
        return []

    def _wait_for(self, ended: Ended) -> None:
        """Comes back to a run that another process is doing."""
        key = ended.job.key
        self._shown.pop(key).clear()
        if key not in self._elsewhere:
            self.progress.say(f"{ended.job.origin}: another process is doing it")
        self._elsewhere[key] = time.monotonic() + SECONDS_BETWEEN_LOOKS

    def left_out(self, nodes: Iterable[Node]) -> list[Node]:
        """Those that were not tried, for they build on what failed."""
        return [
            node for node in nodes if node.key not in self.paths and node.key not in self.errors
        ]

    def _ready(self, nodes: Iterable[Node]) -> list[Node]:
        """Those that nothing is waited for: neither done, nor lost, nor after what is not done.

        What others were doing comes last, and not before a while.
        """
        now = time.monotonic()
        found = [
            node
            for node in nodes
            if node.key not in self.paths
            and node.key not in self.errors
            and all(parent.key in self.paths for parent in node.parents.values())
            and self._elsewhere.get(node.key, now) <= now
        ]
        return sorted(found, key=lambda node: node.key in self._elsewhere)

    def _begin(self, node: Node, title: str, whole: Whole, *, is_told_apart: bool) -> None:
        origin = f"{self.study}, {label(node)}"
        job = Job(
            node.key,
            node.stage,
            node.recipe(self.paths),
            origin,
            node.name,
            self.runs,
            at_once=self.executor.slots,
        )
        shown = Numbered(
            self.progress.beside(title),
            title,
            node.stage,
            after=None if is_told_apart else self._later or None,
            is_alone=self.executor.is_alone,
            noted=lambda: whole.expect(self._time_left()),
        )
        self._shown[node.key] = shown
        self.executor.begin(job, shown)

    def _remember(self, ended: Ended) -> None:
        key, result = ended.job.key, ended.result
        self._shown.pop(key).clear()
        if not isinstance(result, Done):
            self.errors[key] = result
            self.progress.warn(f"failed: {ended.job.origin}: {result}")
            return
        self.paths[key] = result.path
        self.identities[key] = result.identity
        self.summaries[key] = result.summary
        if result.was_skipped:
            self.found.add(key)

    def _time_left(self) -> float | None:
        """Seconds until all are done, by the pace of those under way; None where not known."""
        own = [
            self._expected.get(key) if shown.seconds_left is None else shown.seconds_left
            for key, shown in self._shown.items()
        ]
        known = [seconds for seconds in own if seconds is not None]
        if self._later is None or len(known) < len(own):
            return None
        return max([(sum(known) + self._later) / self.executor.slots, *known])

    def _seconds(
        self, every: Iterable[Node], known: set[str], *, begun: Iterable[str] = ()
    ) -> float | None:
        """Of all runs but these and the finished ones, one by one; None where not known."""
        nodes = list(every)
        done = {*self.paths, *begun, *(one.key for one in nodes if one.key in known)}
        left = waiting(nodes, done=done, lost=self.errors)
        return self._seconds_of(left, nodes)

    def _seconds_of(self, nodes: Iterable[Node], every: Iterable[Node]) -> float | None:
        """About, one by one, by those like them; None where not known."""
        taken = {key: summary["seconds"] for key, summary in self.summaries.items()}
        return seconds_left(nodes, taken=taken, planned=every)
