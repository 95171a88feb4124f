"""Carries a study out, run after run; what is finished is found, not done again."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from understudy.core.errors import UnderstudyError
from understudy.core.files import make_folder
from understudy.core.identity import parents_of
from understudy.core.interrupts import Interrupts
from understudy.core.locks import one_at_a_time
from understudy.core.progress import Progress
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.results.csv_file import write_csv
from understudy.results.records import StudyRecord, read_study
from understudy.results.report import write_report
from understudy.results.rows import rows_of
from understudy.results.tuning_csv import write_tuning
from understudy.stages import STAGES
from understudy.stages.images import described, open_images, warned
from understudy.studies.budget import within_budget
from understudy.studies.execution import Execution
from understudy.studies.executors.place import Place
from understudy.studies.fitting import images_key, must_fit
from understudy.studies.labels import label
from understudy.studies.plan import Node, Plan, plan
from understudy.studies.recording import Record
from understudy.studies.study import Study
from understudy.studies.trying import tried_out
from understudy.studies.tuning import tuning_of


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
    study: Study,
    *,
    runs: Path,
    progress: Progress,
    interrupts: Interrupts | None = None,
    place: Place = Place(),  # noqa: B008 - never changes
) -> Outcome:
    """Does every run of a study that is not finished, then writes its rows and its report.

    A run that fails takes with it only those that build on it; the others go on. Several processes
    may do one study: each run is done by one of them.

    Args:
        study: The study, configured.
        runs: Root of all runs.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came; by default one of its own.
        place: Where the runs are done; by default one after the other in this process.

    Raises:
        UsageError: The study's settings are not allowed.
        InterruptedRunError: A signal came; everything is saved, the same command continues.
    """
    place.must_be_one()
    planned = plan(study, STAGES)  # all mistakes before any heavy work
    tuning = tuning_of(planned, STAGES)
    interrupts = interrupts or Interrupts()
    with interrupts.listening():
        nodes = (*planned.runs, *(tuning.runs if tuning else ()))
        asked = [(node, _settings(node)) for node in nodes]
        for _, settings in asked:
            settings.must_be_at_hand()
        found: dict[str, Pack] = {}
        for _, settings in asked:  # their mistakes too, once and not in every run
            if images_key(settings) in found:
                continue
            images = open_images(settings, runs=runs, shared=runs / "shared", progress=progress)
            found[images_key(settings)] = images.pack
            progress.say(described(images.pack))
            if warning := warned(images.check):
                progress.warn(warning)
        must_fit(asked, found, origin=study.origin)
        packs = [pack.key for pack in found.values()]
        folder = make_folder(runs / "studies" / study.folder)
        with one_at_a_time(folder / ".lock", waiting=lambda: progress.say(_MEASURING)):
            study = within_budget(study, runs=runs, folder=folder, progress=progress)
        with place.opened(interrupts, progress) as executor:
            execution = Execution(study.name, runs=runs, progress=progress, executor=executor)
            record = Record(folder, packs=packs, outside=_outside(planned), execution=execution)
            return _outcome(study, execution, record)


def _outcome(study: Study, execution: Execution, record: Record) -> Outcome:
    """Tries what is to be tuned, does the study with what was chosen, and writes what came out."""
    planned = plan(study, STAGES)
    tuning, tried = tuning_of(planned, STAGES), None
    if tuning:
        tried = tried_out(tuning, planned, execution, record)
        settled = tuning.settled(tried.scores, tried.among)
        planned = plan(dataclasses.replace(study, settled=settled), STAGES)
    todo = planned.runs
    record.write(planned, tried)  # so that nobody takes away what is needed
    try:
        execution.do(todo, after_each=lambda: record.write(planned, tried))
    finally:
        record.write(planned, tried)

    found = read_study(record.folder)
    write_csv(rows_of(found), record.folder / "rows.csv")
    if found.tuned:
        write_tuning(found.tuned, record.folder / "tuning.csv")
    write_report(found, record.folder / "report.html")
    failures = [error for key, error in execution.errors.items() if key in _keys(todo)]
    if left := execution.left_out(todo):
        execution.progress.warn(_left_out(left))
    done = len(execution.paths) - len(execution.found)
    if not done and not failures:
        every = len(execution.paths)
        execution.progress.say(f"Nothing new to do: all {every} runs were finished before.")
    return Outcome(record.folder, found, done, len(execution.found), tuple(failures))


def _left_out(nodes: Sequence[Node]) -> str:
    """What was not done, each run by its name while they are few."""
    lines = [f"  {label(node)}" for node in nodes[:MOST_NAMED]]
    if more := nodes[MOST_NAMED:]:
        counts = Counter(node.name for node in more)
        lines.append(f"  and {', '.join(f'{count} x {name}' for name, count in counts.items())}")
    runs = "1 run builds" if len(nodes) == 1 else f"{len(nodes)} runs build"
    return "\n".join([f"not done: {runs} on what failed", *lines])


def _keys(nodes: Iterable[Node]) -> set[str]:
    return {node.key for node in nodes}


_MEASURING = "budget: waiting for another process that is measuring the same study"
MOST_NAMED = 10  # runs that were not done; a screen has room for these
PENDING = Path("pending")
"""Stands for the directory of a run that is not there yet."""


def _settings(node: Node) -> DataSettings:
    settings = STAGES[node.stage].model_validate(node.recipe(defaultdict(lambda: PENDING)))
    assert isinstance(settings, DataSettings)
    return settings


def _outside(planned: Plan) -> list[str]:
    """Runs that are none of the study's own, and that it is made from."""
    named = (parents_of(_settings(node)) for node in planned.runs)
    return sorted({str(path) for parents in named for path in parents.values()} - {str(PENDING)})
