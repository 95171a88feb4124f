"""Does runs of a study, each when those that it builds on are there, and remembers what came."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from understudy.core.errors import BusyError, UnderstudyError
from understudy.core.progress import Progress
from understudy.core.run import known_keys
from understudy.core.wording import named
from understudy.studies.executors.executor import Done, Ended, Executor, Job
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
        self._shown: dict[str, Progress] = {}
        """Of the runs under way."""

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
        whole = Whole(self.progress, f"{self.study}: {part}{len(todo)} runs", len(todo))
        with whole if self.executor.slots > 1 else nullcontext():
            while True:
                free = self.executor.slots - self.executor.under_way
                for node in self._ready(todo)[:free]:
                    todo.remove(node)
                    self._begin(
                        node, titles[node.key], self._seconds_after(node, every.values(), known)
                    )
                if not self.executor.under_way and not self._elsewhere:
                    return
                for ended in self._ended():
                    if isinstance(ended.result, BusyError):
                        self._wait_for(ended)
                        todo.append(every[ended.job.key])
                        continue
                    self._elsewhere.pop(ended.job.key, None)
                    self._remember(ended)
                    whole.advance(self._seconds_after(None, every.values(), known))
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

    def _begin(self, node: Node, title: str, left: float | None) -> None:
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
            self.progress.beside(),
            title,
            node.stage,
            after=left if self.executor.slots == 1 else None,  # else it is told of the whole
            is_alone=self.executor.slots == 1,
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

    def _seconds_after(
        self, node: Node | None, every: Iterable[Node], known: set[str]
    ) -> float | None:
        """Of the runs after this one and those under way; None where that is not known.

        Without one, those under way count in full.
        """
        nodes = list(every)
        done = {*self.paths, *(one.key for one in nodes if one.key in known)}
        if node:
            done |= {*self._shown, node.key}
        left = waiting(nodes, done=done, lost=self.errors)
        taken = {key: summary["seconds"] for key, summary in self.summaries.items()}
        seconds = seconds_left(left, taken=taken, planned=nodes) if left else None
        return None if seconds is None else seconds / self.executor.slots


def label(node: Node) -> str:
    """`student, objective dist, seed 1`."""
    axes = [f"{axis} {named(value)}" for axis, value in node.axes.items()]
    seed = [] if node.seed is None else [f"seed {node.seed}"]
    return ", ".join([node.name, *axes, *seed])
