"""`import understudy`: the verbs of the command line as functions, with the same settings.

A setting is a keyword, nested ones as a mapping or by their dotted key:

    understudy.run("few-labels", data="photos", labels={"per_class": 20}, seeds=[1, 2, 3])
    understudy.finetune(start=pretrained, **{"plan.steps": 200})

Errors are `UnderstudyError`, with the exit code that the command would end with; nothing leaves the
process. Ctrl-C in the main thread saves and raises KeyboardInterrupt, and so does any other signal
to stop; the same call continues.
Nothing that takes time is imported before a verb is called.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from understudy.core.errors import UnderstudyError, UsageError
from understudy.core.interrupts import Interrupts, leave_work
from understudy.core.progress import Progress

Place = str | os.PathLike[str]
RUNS = "runs"


@dataclass(frozen=True)
class StageResult:
    """A finished run; give it to another stage where a run is wanted."""

    path: Path
    """Its folder."""
    summary: Mapping[str, Any] = field(repr=False)
    """What it found out, as its summary.json tells it."""
    was_skipped: bool
    """Whether it was finished before, and nothing was done now."""

    def __fspath__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class StudyResult:
    """A finished study."""

    folder: Path
    """Holds rows.csv, report.html and study.json."""
    rows: list[dict[str, Any]] = field(repr=False)
    """One for each trained model and kept checkpoint, with the columns of rows.csv."""
    models: tuple[Path, ...]
    """The exported files."""
    trained: int
    """Runs that were done now."""
    found: int
    """Runs that were finished before."""

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"

    def __fspath__(self) -> str:
        return str(self.folder)


@dataclass(frozen=True)
class Report:
    """What finished runs are worth."""

    title: str
    rows: list[dict[str, Any]] = field(repr=False)
    """One for each trained model and kept checkpoint, with the columns of rows.csv."""
    findings: tuple[str, ...] = field(repr=False)
    """Sentences computed from the rows: results, facts, and what to keep in mind."""


@dataclass(frozen=True)
class CheckResult:
    """What was found in a set of images."""

    usable: bool
    """Whether a training may start."""
    findings: tuple[str, ...]
    """Sentences, the gravest first."""
    content: Mapping[str, Any] = field(repr=False)
    """Counts, findings with their images, and pairs, as `check-data --json` writes them."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of one image."""

    image: str
    """Its path, as it was given or found."""
    answers: Mapping[str, tuple[tuple[str, float], ...]]
    """By model (the teacher is called so) its likeliest classes with their calibrated
    probabilities, best first; empty where the image could not be read."""
    problem: str
    """Why there is no answer; "" where there is one."""


class FailedStudyError(UnderstudyError):
    """Some runs of a study failed; the others are done, and in its report.

    Args:
        message: What failed.
        exit_code: Of the first failure.
        result: What was done all the same.
    """

    def __init__(self, message: str, *, exit_code: int, result: StudyResult) -> None:
        super().__init__(message)
        self.exit_code, self.result = exit_code, result


def run(
    study: Place = "digits",
    /,
    *,
    runs: Place = RUNS,
    workers: int | Literal["auto"] = 1,
    on: str = "here",
    cpus: float = 1.0,
    gpus: float | None = None,
    **settings: Any,
) -> StudyResult:
    """Runs a study: every stage, for every seed, that is not finished yet.

    Args:
        study: Name of a shipped study, or path of a YAML file.
        runs: Where runs, packs and results lie.
        workers: How many runs to do at once, each in a process of its own; `auto` begins with one
            and doubles while that is measured to pay and memory holds it.
        on: `ray` or `ray://HOST:PORT`: a Ray cluster that does the runs, with `runs` on a disk that
            all its machines see.
        cpus: Processors of each run, on a cluster.
        gpus: GPUs of each run, on a cluster; by default one where it has any.
        settings: Its parameters; `data=PATH` is short for `data.path`, `seeds` and `scale` as on
            the command line, `machine={"device": "cpu"}` where to compute.

    Raises:
        FailedStudyError: Some runs failed; its `result` holds what the others gave.
        UnderstudyError: Anything else that a user can cause or meet.
        KeyboardInterrupt: Ctrl-C or another signal; all is saved, and the same call continues.
    """
    from understudy import verbs
    from understudy.results.csv_file import as_mappings
    from understudy.results.rows import rows_of

    plan = verbs.planned(os.fspath(study), _given(settings), must_be_at_hand=True)
    progress, interrupts = _ours()
    outcome = verbs.carried_out(
        plan,
        runs=_place(runs),
        on=on,
        workers=workers,
        cpus=cpus,
        gpus=gpus,
        progress=progress,
        interrupts=interrupts,
    )
    result = StudyResult(
        folder=outcome.folder,
        rows=as_mappings(rows_of(outcome.record)),
        models=tuple(outcome.models),
        trained=outcome.trained,
        found=outcome.found,
    )
    if outcome.failures:
        told = "\n".join(map(str, outcome.failures))
        raise FailedStudyError(told, exit_code=outcome.exit_code, result=result)
    return result


def _stage(stage: str, does: str) -> Callable[..., StageResult]:
    """The function of one stage; all have the same form."""

    def verb(
        recipe: Place = "",
        /,
        *,
        runs: Place = RUNS,
        name: str | None = None,
        out: Place | None = None,
        **settings: Any,
    ) -> StageResult:
        from understudy import verbs

        progress, interrupts = _ours()
        launched = verbs.done(
            stage,
            os.fspath(recipe),
            _given(settings),
            asked_by=f"understudy.{stage}",
            runs=_place(runs),
            name=name,
            out=None if out is None else _place(out),
            progress=progress,
            interrupts=interrupts,
        )
        return StageResult(launched.run.path, launched.summary, launched.was_skipped)

    verb.__name__ = verb.__qualname__ = stage
    verb.__doc__ = f"""{does}

    Args:
        recipe: Name of a shipped recipe, or path of a YAML file; without it the defaults.
        runs: Where runs, packs and results lie.
        name: Name of the run for people; by default that of the recipe.
        out: The run's folder, instead of one under `runs`.
        settings: As `understudy {stage} --help` lists them.
    """
    return verb


train = _stage("train", "Trains a classifier from scratch on the labeled images alone.")
pretrain = _stage("pretrain", "Pretrains a backbone on all training images without labels.")
adopt = _stage("adopt", "Takes weights that were trained elsewhere, in place of a pretraining.")
finetune = _stage("finetune", "Fine-tunes a pretrained backbone into a classifier.")
distill = _stage("distill", "Distills a finished teacher into a small student.")
mutual = _stage("mutual", "Trains peers together that learn from labels and from each other.")
fixmatch = _stage(
    "fixmatch", "Trains a classifier on labels, and on what it is sure of in all other images."
)
ensemble = _stage("ensemble", "Makes one classifier of several finished ones.")
evaluate = _stage("evaluate", "Evaluates finished runs side by side.")
export = _stage("export", "Exports a finished classifier as one ONNX file.")


def import_weights(
    file: Place,
    /,
    *,
    network: str = "",
    projector: bool = False,
    runs: Place = RUNS,
    name: str | None = None,
    out: Place | None = None,
    **settings: Any,
) -> StageResult:
    """Brings a ResNet that others pretrained (BYOL, MoCo, ...) as a finished run.

    Args:
        file: What `torch.save` wrote, or safetensors.
        network: Where in the file it lies, such as `module.encoder_k`, if there are several.
        projector: Whether to keep MoCo v2's head of two layers as the projector.
        runs: Where runs, packs and results lie.
        name: Name of the run for people; by default that of the file.
        out: The run's folder, instead of one under `runs`.
        settings: As `understudy adopt --help` lists them: `data`, `size`, `mean`, `std`.
    """
    from understudy import verbs

    progress, interrupts = _ours()
    launched = verbs.brought(
        _place(file),
        _given(settings),
        network=network,
        projector=projector,
        asked_by="understudy.import_weights",
        runs=_place(runs),
        name=name,
        out=None if out is None else _place(out),
        progress=progress,
        interrupts=interrupts,
    )
    return StageResult(launched.run.path, launched.summary, launched.was_skipped)


def report(
    place: Place = RUNS,
    /,
    *,
    html: Place | None = None,
    csv: Place | None = None,
    markdown: Place | None = None,
) -> Report:
    """Tells what runs are worth, and writes a page or a file of rows where asked for.

    Args:
        place: A study's folder, a folder of runs, or one run.
        html: Write a self-contained page with plots.
        csv: Write one row for each trained model and checkpoint.
        markdown: Write a page for a repository.

    Raises:
        UnderstudyError: There is nothing to report, or the disk refuses.
    """
    from understudy import verbs
    from understudy.results.comparison import comparison
    from understudy.results.csv_file import as_mappings
    from understudy.results.findings import findings
    from understudy.results.rows import rows_of

    html, csv, markdown = (None if one is None else _place(one) for one in (html, csv, markdown))
    record = verbs.reported(_place(place), html=html, csv=csv, markdown=markdown)
    told = findings(record, comparison(record))
    return Report(
        title=record.title,
        rows=as_mappings(rows_of(record)),
        findings=tuple(finding.text for finding in told),
    )


def report_rows(*files: Place, html: Place | None = None) -> Report:
    """Tells what rows of CSV files say, whoever wrote them, and writes a page to browse them.

    Args:
        files: Each a path, or `teacher=PATH` or `baseline=PATH` where columns do not tell.
        html: Write a self-contained page.

    Raises:
        UnderstudyError: A file cannot be read, holds no figures, or the disk refuses.
    """
    from understudy import verbs
    from understudy.results.browser.section import sentences, summary

    if not files:
        raise UsageError("no file of rows is named.")
    words = [str(_place(one)) for one in files]
    sheet = verbs.browsed(words, html=None if html is None else _place(html))
    return Report(
        title=summary(sheet),
        rows=[{**run.axes, **run.figures} for run in sheet.runs],
        findings=(*sentences(sheet), *sheet.notes),
    )


def init(
    images: Place,
    /,
    *,
    out: Place | None = None,
    force: bool = False,
    measure: bool = True,
    runs: Place = RUNS,
    **settings: Any,
) -> Path:
    """Looks at images and writes a commented study for them to start from.

    Args:
        images: The folder, or a table of them.
        out: The study's file; by default named after the images, here.
        force: Write over a file that is there.
        measure: Measure how long the study takes on this machine.
        runs: Where packs lie, and what is measured.
        settings: Those of the images: `size=64`, `unlabeled="more"`.

    Returns:
        The study's file, for `run`.

    Raises:
        UnderstudyError: The file is there, or the images cannot serve.
    """
    from understudy import verbs

    progress, interrupts = _ours()
    return verbs.started(
        _place(images),
        _given(settings),
        out=None if out is None else _place(out),
        force=force,
        measure=measure,
        runs=_place(runs),
        progress=progress,
        interrupts=interrupts,
    )


def check_data(images: Place = "", /, *, runs: Place = RUNS, **settings: Any) -> CheckResult:
    """Looks at every image before anything is trained: counts, unfit files, copies, look-alikes.

    Args:
        images: The folder, or the table.
        runs: Where packs lie; a study afterwards finds the images packed.
        settings: Those of `data` and `split`: `size=64`, `split={"allow_duplicates": True}`.

    Raises:
        UnderstudyError: The images cannot be looked at at all.
    """
    from understudy import verbs

    progress, interrupts = _ours()
    check = verbs.images_checked(
        os.fspath(images),
        _given(settings),
        asked_by="check_data",
        runs=_place(runs),
        progress=progress,
        interrupts=interrupts,
    )
    return CheckResult(
        usable=not check.errors,
        findings=tuple(finding.sentence for finding in check.findings),
        content=check.as_json(most=None),
    )


def predict(
    model: Place,
    /,
    *images: Place,
    top: int = 3,
    with_teacher: bool = False,
    scale: float | None = None,
) -> list[Prediction]:
    """Says what images show: the likeliest classes, with calibrated probabilities.

    Args:
        model: A finished training, an export, a study, or an exported file.
        images: Image files, and folders of images at any depth.
        top: How many classes to name for each image.
        with_teacher: Ask the model's teacher too.
        scale: Of bands whose files hold other numbers than the model learned from, what they are
            multiplied by to be those.

    Returns:
        One for each image, in order, also for those that could not be read.

    Raises:
        UnderstudyError: The model or a place does not serve.
    """
    from understudy import verbs

    progress, _ = _ours()
    said = verbs.predicted(
        _place(model),
        [*map(_place, images)],
        top=top,
        teacher=with_teacher,
        scale=scale,
        progress=progress,
    )
    return [
        Prediction(
            image=answer.image,
            answers=dict(zip(said.models, answer.shares, strict=False)),  # none for a bad image
            problem=answer.problem,
        )
        for answer in said.answers
    ]


def _place(place: Place) -> Path:
    """A path; `Path("")` would be the current folder.

    Raises:
        UsageError: It is empty.
    """
    if not os.fspath(place):
        raise UsageError("a path is empty; `.` is the current folder.")
    return Path(place)


def _ours() -> tuple[Progress, Interrupts]:
    """Lines of progress on stderr, and signals that end our work and not the user's process."""
    from understudy.cli.log_lines import LineProgress

    return LineProgress(sys.stderr), Interrupts(insisted=leave_work)


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    from understudy.core.overrides import plain_key

    return {plain_key(key): _plain(value) for key, value in settings.items()}


def _plain(value: Any) -> Any:
    """What YAML could have held: paths and runs as text, any sequence as a list."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset | range):
        return [_plain(inner) for inner in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    item = getattr(value, "item", None)  # a number of numpy or torch
    return item() if callable(item) else value
