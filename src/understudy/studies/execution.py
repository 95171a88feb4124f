"""Does runs of a study in this process, one after the other, and remembers what came of each."""

import gc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from understudy.core.errors import UnderstudyError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress
from understudy.core.run import known_keys
from understudy.core.wording import named
from understudy.stages.launch import launch
from understudy.studies.numbered import Numbered
from understudy.studies.plan import Node
from understudy.studies.remaining import seconds_left, waiting


class Execution:
    """What is known of each run while a study is carried out.

    Args:
        study: Name of the study, to head messages.
        runs: Root of all runs.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.
    """

    def __init__(
        self, study: str, *, runs: Path, progress: Progress, interrupts: Interrupts
    ) -> None:
        self.study, self.runs = study, runs
        self.progress, self.interrupts = progress, interrupts
        self.paths: dict[str, Path] = {}
        """Of the finished runs, by key; so are the following."""
        self.identities: dict[str, str] = {}
        self.summaries: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, UnderstudyError] = {}
        self.found: set[str] = set()
        """Those that were finished before."""

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
        for number, node in enumerate(todo, start=1):
            left = self._seconds_after(node, every.values(), known)
            self._do(node, f"[{part}{number} of {len(todo)}] {label(node)}", left)
            if node.key in self.paths:
                after_each()
            gc.collect()  # a finished run's tensors, before the next one takes its own

    def _do(self, node: Node, title: str, left: float | None) -> None:
        if node.key in self.paths or node.key in self.errors:
            return
        if any(parent.key not in self.paths for parent in node.parents.values()):
            return
        try:
            launched = launch(
                node.stage,
                node.recipe(self.paths),
                origin=f"{self.study}, {label(node)}",
                name=node.name,
                runs=self.runs,
                shared=self.runs / "shared",
                out=None,
                progress=Numbered(self.progress, title, node.stage, left),
                interrupts=self.interrupts,
                told_of_images=True,
            )
        except UnderstudyError as error:
            self.errors[node.key] = error
            self.progress.warn(f"failed: {label(node)}: {error}")
            return
        self.paths[node.key] = launched.run.path
        self.identities[node.key] = launched.run.identity
        self.summaries[node.key] = launched.summary
        if launched.was_skipped:
            self.found.add(node.key)

    def _seconds_after(self, node: Node, every: Iterable[Node], known: set[str]) -> float | None:
        """Of the runs after this one; None where that is not known."""
        nodes = list(every)
        done = {*self.paths, *(one.key for one in nodes if one.key in known), node.key}
        left = waiting(nodes, done=done, lost=self.errors)
        taken = {key: summary["seconds"] for key, summary in self.summaries.items()}
        return seconds_left(left, taken=taken, planned=nodes) if left else None


def label(node: Node) -> str:
    """`student, objective dist, seed 1`."""
    axes = [f"{axis} {named(value)}" for axis, value in node.axes.items()]
    seed = [] if node.seed is None else [f"seed {node.seed}"]
    return ", ".join([node.name, *axes, *seed])
