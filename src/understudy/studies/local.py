"""Carries a study out in this process, run after run; what is finished is found, not done again."""

import gc
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.errors import UnderstudyError
from understudy.core.files import make_folder, write_json
from understudy.core.identity import parents_of
from understudy.core.interrupts import Interrupts
from understudy.core.locks import alone
from understudy.core.progress import Progress
from understudy.core.run import known_keys
from understudy.data.settings import DataSettings
from understudy.results.csv_file import write_csv
from understudy.results.records import StudyRecord, read_study
from understudy.results.report import write_report
from understudy.results.rows import rows_of
from understudy.results.values import listing, mapping, read_object, text
from understudy.stages import STAGES
from understudy.stages.images import described, open_images, warned
from understudy.stages.launch import launch
from understudy.studies.budget import within_budget
from understudy.studies.plan import Node, Plan, plan
from understudy.studies.remaining import Speed, about, seconds_left, waiting
from understudy.studies.study import Study


class Outcome(NamedTuple):
    """How a study ended."""

    folder: Path
    record: StudyRecord
    trained: int
    """Runs that were done now."""
    found: int
    """Runs that were finished before."""
    failures: tuple[UnderstudyError, ...]

    @property
    def models(self) -> list[Path]:
        """The exported files, in the order of the study."""
        return [
            entry.run.path / str(entry.run.summary["file"]) for entry in self.record.having("file")
        ]

    @property
    def exit_code(self) -> int:
        """Of the first failure; 0 where all went well."""
        return self.failures[0].exit_code if self.failures else 0


def run_study(
    study: Study, *, runs: Path, progress: Progress, interrupts: Interrupts | None = None
) -> Outcome:
    """Does every run of a study that is not finished, then writes its rows and its report.

    A run that fails takes with it only those that build on it; the others go on.

    Args:
        study: The study, configured.
        runs: Root of all runs.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came; by default one of its own.

    Raises:
        UsageError: The study's settings are not allowed, or another process works on it.
        InterruptedRunError: A signal came; everything is saved, the same command continues.
    """
    planned = plan(study, STAGES)  # all mistakes before any heavy work
    interrupts = interrupts or Interrupts()
    with interrupts.listening():
        asked = [_settings(node) for node in planned.runs]
        for settings in asked:
            settings.must_be_at_hand()
        packs = []
        for readers in _by_images(asked):  # their mistakes too, once and not in every run
            images = open_images(readers[0], runs=runs, shared=runs / "shared", progress=progress)
            packs.append(images.pack.key)
            progress.say(described(images.pack))
            if warning := warned(images.check):
                progress.warn(warning)
            for settings in readers:
                settings.must_fit(images.pack)
        folder = make_folder(runs / "studies" / study.folder)
        with alone(folder / ".lock", otherwise=_BUSY.format(folder)):
            study = within_budget(study, runs=runs, folder=folder, progress=progress)
            execution = _Execution(plan(study, STAGES), packs, runs, folder, progress, interrupts)
            return execution.outcome()


_BUSY = (
    "{}: another process is working on this study. Wait for it, or stop it; the same command then "
    "continues."
)
FITTING = {"stage", "size", "split", "labels", "backbone", "weights", "tag", "mean", "std"}
"""Settings that may fit the images or not."""
PENDING = Path("pending")
"""Stands for the directory of a run that is not there yet."""


def _settings(node: Node) -> DataSettings:
    settings = STAGES[node.stage].model_validate(node.recipe(defaultdict(lambda: PENDING)))
    assert isinstance(settings, DataSettings)
    return settings


def _by_images(asked: Iterable[DataSettings]) -> list[list[DataSettings]]:
    """The settings of the runs, those of which `must_fit` may say different things, by images."""
    by_data: dict[str, dict[str, DataSettings]] = {}
    for settings in asked:
        data = settings.data.model_dump_json()
        what = settings.model_dump_json(include=FITTING)
        by_data.setdefault(data, {}).setdefault(what, settings)
    return [list(readers.values()) for readers in by_data.values()]


def _outside(planned: Plan) -> list[str]:
    """Runs that are none of the study's own, and that it is made from."""
    named = (parents_of(_settings(node)) for node in planned.runs)
    return sorted({str(path) for parents in named for path in parents.values()} - {str(PENDING)})


class _Execution:
    """What is known of each run of a plan while it is carried out."""

    def __init__(
        self,
        planned: Plan,
        packs: Sequence[str],
        runs: Path,
        folder: Path,
        progress: Progress,
        interrupts: Interrupts,
    ) -> None:
        self.plan, self.packs, self.runs, self.folder = planned, packs, runs, folder
        self.progress, self.interrupts = progress, interrupts
        self.paths: dict[str, Path] = {}
        self.identities: dict[str, str] = {}
        self.errors: dict[str, UnderstudyError] = {}
        self.found: set[str] = set()
        self.taken: dict[str, float] = {}
        """Seconds of the finished runs, by key."""
        self.known = {
            stage: known_keys(runs, stage=stage) for stage in {node.stage for node in planned.runs}
        }
        """Keys of what lies finished in the folder of runs: it takes no time again."""
        self.earlier = _finished_before(folder)

    def outcome(self) -> Outcome:
        """Carries everything out."""
        todo = self.plan.runs
        self._write()  # so that nobody takes away what is needed
        try:
            for number, node in enumerate(todo, start=1):
                self._do(node, f"{number} of {len(todo)}")
        finally:
            self._write()

        record = read_study(self.folder)
        write_csv(rows_of(record), self.folder / "rows.csv")
        write_report(record, self.folder / "report.html")
        done = len(self.paths) - len(self.found)
        if not done and not self.errors:
            self.progress.say(f"Nothing new to do: all {len(todo)} runs were finished before.")
        return Outcome(self.folder, record, done, len(self.found), tuple(self.errors.values()))

    def _do(self, node: Node, position: str) -> None:
        if any(parent.key not in self.paths for parent in node.parents.values()):
            return
        label = node.name if node.seed is None else f"{node.name}, seed {node.seed}"
        left = self._left_after(node)
        try:
            launched = launch(
                node.stage,
                node.recipe(self.paths),
                origin=f"{self.plan.study.name}, {label}",
                name=node.name,
                runs=self.runs,
                shared=self.runs / "shared",
                out=None,
                progress=_Numbered(self.progress, f"[{position}] {label}", node.stage, left),
                interrupts=self.interrupts,
                told_of_images=True,
            )
        except UnderstudyError as error:
            self.errors[node.key] = error
            self.progress.warn(f"failed: {label}: {error}")
            return
        self.paths[node.key] = launched.run.path
        self.identities[node.key] = launched.run.identity
        self.taken[node.key] = launched.summary["seconds"]
        if launched.was_skipped:
            self.found.add(node.key)
        self._write()
        gc.collect()  # a finished run's tensors, before the next one takes its own

    def _left_after(self, node: Node) -> float | None:
        """Seconds of the runs after this one; None where that is not known."""
        known = {n.key for n in self.plan.runs if n.key in self.known[n.stage]}
        done = {*self.paths, *known, node.key}
        left = waiting(self.plan.runs, done=done, lost=self.errors)
        return seconds_left(left, taken=self.taken, planned=self.plan.runs) if left else None

    def _write(self) -> None:
        study = self.plan.study
        write_json(
            self.folder / "study.json",
            {
                "name": study.name,
                "title": study.title,
                "parameters": dict(study.parameters),
                "changed": study.changed,
                "scale": study.scale,
                "reduced": study.reduced,
                "seeds": list(study.seeds),
                "axes": {axis: list(values) for axis, values in study.axes.items()},
                "published": [one.model_dump(mode="json") for one in study.published],
                "packs": list(self.packs),
                "outside": _outside(self.plan),
                "runs": [self._entry(node) for node in self.plan.nodes],
            },
        )

    def _entry(self, node: Node) -> dict[str, Any]:
        path, error = self.paths.get(node.key), self.errors.get(node.key)
        if not path and not error and (earlier := self.earlier.get(node.key)):
            return {**earlier, "node": node.name, "seed": node.seed, "axes": dict(node.axes)}
        status = "finished" if path else "failed" if error else "pending"
        return {
            "node": node.name,
            "stage": node.stage,
            "seed": node.seed,
            "axes": dict(node.axes),
            "run": f"{path.parent.name}/{path.name}" if path else None,
            "identity": self.identities.get(node.key),
            "key": node.key,
            "status": status,
            "error": str(error) if error else None,
        }


def _finished_before(folder: Path) -> dict[str, dict[str, Any]]:
    """By key, the finished runs that the study's record names, until this attempt comes to them."""
    told = map(mapping, listing(read_object(folder / "study.json")[0].get("runs")))
    return {text(run.get("key")): run for run in told if run.get("status") == "finished"}


class _Numbered:
    """Shows each piece of work under the study's own title of its run.

    Args:
        progress: Where to show it.
        title: Of the run.
        stage: Which piece of work is the run itself; others are preparations.
        after: Seconds of all runs after this one, where that is known.
    """

    def __init__(self, progress: Progress, title: str, stage: str, after: float | None) -> None:
        self.progress, self.title, self.stage, self.after = progress, title, stage, after
        self._run: Speed | None = None

    def begin(self, title: str, total: int) -> None:
        """Starts a piece of work; the stage stands in the title already."""
        first = title.split(" ")[0]
        self._run = Speed(total) if first == self.stage else None
        self.progress.begin(f"{self.title}: {first}", total)

    def advance(self, count: int = 1, note: str = "") -> None:
        """Reports units done; a note also says how long the whole study will still take."""
        if self._run:
            self._run.advance(count)
        own = self._run.seconds_left if self._run else None
        known = note and own is not None and self.after is not None
        self.progress.advance(count, self._with_rest(note, own or 0.0) if known else note)

    def end(self, note: str = "") -> None:
        """Closes the piece of work."""
        known = self._run and self.after is not None
        self._run = None
        self.progress.end(self._with_rest(note, 0.0) if known else note)

    def _with_rest(self, note: str, own: float) -> str:
        return f"{note}; study: {about(own + (self.after or 0.0))} left"

    def say(self, text: str) -> None:
        """Shows one line."""
        self.progress.say(text)

    def warn(self, text: str) -> None:
        """Shows one line, also to a person who asked for quiet."""
        self.progress.warn(text)

    def detail(self, text: str) -> None:
        """Shows lines to a person who asked for all."""
        self.progress.detail(text)
