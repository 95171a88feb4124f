"""Every command: its words, options and help. The work lies in the modules beside this one.

They are imported when their command runs, for `--help` must not wait for torch; that is why
functions here import.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, UnknownOptionError

from understudy.cli.failures import exit_code_of
from understudy.cli.loudness import Telling
from understudy.cli.names import names_of
from understudy.cli.settings_help import meant, reference, settings_help
from understudy.core.errors import UsageError
from understudy.core.shipped import shipped_names

DEFAULT_STUDY = "digits"
RUNS = Path("runs")
DEBUG = "--debug"
NORMALLY = Telling()
AFTER_STAGES = 100  # in the list of commands
WORDS = """Words: `key=value` changes a parameter of the study, `data=PATH` is short for
`data.path=PATH`, `seeds=1,2,3` gives the seeds, `scale=NAME` chooses a size,
`machine.device=cpu` where to compute. `understudy run STUDY --help` lists the
parameters."""
COLUMNS = """Columns: `kept` last, or best on validation; `labels` training and validation
together; `val%` and `test%` top-1, with the deviation over `n` seeds; `F1%`
macro; `ECE%` calibration error; `agree%` answers equal to the teacher's; `ms`
per image of the exported file, on one thread."""
MODELS = """MODEL: the folder of a finished run (runs/distill/...), of an export
(runs/export/...) or of a study (runs/studies/...), or a file that `export` wrote.
Images that cannot be read are listed at the end, and the exit code is then 3."""
COMPLETED = """Save it where your shell looks, such as
~/.local/share/bash-completion/completions/understudy (bash),
~/.config/fish/completions/understudy.fish (fish), or a file named
_cyclopts_understudy in a folder of $fpath (zsh). The next shell knows it."""
CLEANED = """What can go: runs that are neither finished nor running and that no study asks
for, packs of images that no run uses, and files that killed processes left.
What a study needs, what a run that stays was made from, and what a process works
on is never touched. To do away with a study, delete its folder in `studies/`,
then clean with --unused."""
CHECK_WORDS = """Words: the settings under `data.` and `split.` of every stage, those of `data.`
also without it: `size=64`, `kind=parquet`, `unlabeled=PATH`,
`split.allow_duplicates=true`. The defaults are those of `understudy run
few-labels`, which looks at 32 x 32 pixels."""

app = App(
    name="understudy",
    help="From many images and few labels to a small, fast model, with the evidence.",
    help_epilogue="Any command takes --debug, which shows the traceback of an error.",
    version=f"understudy {metadata.version('understudy')}",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # failures.py answers it
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code.

    Args:
        argv: Its words, without the program's name; by default those of this process.

    Returns:
        0, or what `core/errors.py` and `failures.py` say.
    """
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")  # a name beyond the terminal's encoding
    words = list(sys.argv[1:] if argv is None else argv)
    debug = DEBUG in words or bool(os.environ.get("UNDERSTUDY_DEBUG"))
    return exit_code_of(partial(_command, [w for w in words if w != DEBUG]), debug=debug)


@app.command(
    sort_key=0,
    usage="understudy run [STUDY] [KEY=VALUE ...] [OPTIONS]",
    help_epilogue=f"{WORDS}\n\nShipped studies: {', '.join(shipped_names('studies'))}.",
)
def run(
    study: str = DEFAULT_STUDY,
    /,
    *words: str,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    runs: Path = RUNS,
    telling: Telling = NORMALLY,
) -> int:
    """Run a study: every stage, for every seed, that is not finished yet.

    Args:
        study: Name of a shipped study, or path of a YAML file.
        words: `key=value`, see below.
        dry_run: Print the graph of runs and do nothing.
        runs: Where runs, packs and results lie.
        telling: How much to tell.
    """
    from understudy.cli.run_command import run_command

    study, words = _first(study, words, otherwise=DEFAULT_STUDY)
    return run_command(study, words, dry_run=dry_run, runs=runs, loudness=telling.loudness)


def _add_stage(stage: str, position: int) -> None:
    """Adds the command of one stage; all have the same form."""

    def command(
        recipe: str = "",
        /,
        *words: str,
        runs: Path = RUNS,
        name: str | None = None,
        out: Path | None = None,
        telling: Telling = NORMALLY,
    ) -> int:
        """The command of a stage; its help comes from the settings' reference.

        Args:
            recipe: Name of a shipped recipe, or path of a YAML file; without it the defaults.
            words: `key=value`, see below.
            runs: Where runs, packs and results lie.
            name: Name of the run for people; by default that of the recipe.
            out: The run's folder, instead of one under `runs`.
            telling: How much to tell.
        """
        from understudy.cli.stage_command import stage_command

        recipe, words = _first(recipe, words, otherwise="")
        return stage_command(
            stage, recipe, words, runs=runs, name=name, out=out, loudness=telling.loudness
        )

    app.command(
        command,
        name=stage,
        sort_key=position,
        usage=f"understudy {stage} [RECIPE] [KEY=VALUE ...] [OPTIONS]",
        help=reference()["stages"][stage]["help"],
        help_epilogue=settings_help(stage),
    )


for _position, _stage in enumerate(reference()["stages"], start=1):
    _add_stage(_stage, _position)


@app.command(name="list", sort_key=AFTER_STAGES)
def list_(what: str = "", /) -> None:
    """List what there is by name: studies, recipes, methods, objectives, backbones or sources.

    Args:
        what: One of these words.
    """
    for name in names_of(what):
        print(name)


@app.command(sort_key=AFTER_STAGES, help_epilogue=COLUMNS)
def report(
    runs: Path = RUNS,
    /,
    *,
    html: Path | None = None,
    csv: Path | None = None,
    markdown: Path | None = None,
    telling: Telling = NORMALLY,
) -> None:
    """Show what runs are worth: a table here, and a page or a file of rows where asked for.

    Args:
        runs: A study's folder, a folder of runs, or one run.
        html: Write a self-contained page with plots.
        csv: Write one row for each trained model and checkpoint.
        markdown: Write a page for a repository: table, findings, run ids.
        telling: How much to tell.
    """
    from understudy.cli.report_command import report_command

    report_command(runs, html=html, csv=csv, markdown=markdown, loudness=telling.loudness)


stored = App(
    name="runs", help="Look after a folder of runs: list, show, clean.", sort_key=AFTER_STAGES
)
app.command(stored)


@stored.command(name="list", sort_key=0)
def runs_list(
    folder: Path = RUNS,
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """List what lies in a folder of runs, newest first: state, size, age, study.

    Args:
        folder: The folder of runs.
        as_json: Print JSON. In a pipe the list has tabs between its columns.
    """
    from understudy.cli.runs_list import runs_list

    runs_list(folder, as_json=as_json)


@stored.command(name="show", sort_key=1)
def runs_show(run: str, /, *, runs: Path = RUNS) -> None:
    """Show one run: settings, parents, figures, files, and why it is not finished.

    Args:
        run: Its directory, id or name, or so much of their beginning as no other run shares.
        runs: The folder of runs.
    """
    from understudy.cli.runs_show import runs_show

    runs_show(run, folder=runs)


@stored.command(name="clean", sort_key=2, help_epilogue=CLEANED)
def runs_clean(
    folder: Path = RUNS,
    /,
    *,
    unused: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """List what can go, and remove it where you say yes.

    Args:
        folder: The folder of runs.
        unused: Also finished runs that no study names.
        yes: Remove without asking.
    """
    from understudy.cli.runs_clean import runs_clean

    return runs_clean(folder, unused=unused, yes=yes)


@app.command(sort_key=AFTER_STAGES, help_epilogue=COMPLETED)
def completion(shell: str = "", /) -> None:
    """Print a script that completes commands, names and keys in your shell.

    Args:
        shell: bash, zsh or fish.
    """
    from understudy.cli.completion import completion_script

    print(completion_script(app, shell), end="")


@app.command(sort_key=AFTER_STAGES)
def init(
    images: Path,
    /,
    *,
    out: Path | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    measure: bool = True,
    runs: Path = RUNS,
    telling: Telling = NORMALLY,
) -> None:
    """Look at images and write a commented study for them to start from.

    Args:
        images: The folder; class folders, with or without train/, test/, unlabeled/ above them.
        out: The study's file; by default named after the folder, here.
        force: Write over a file that is there.
        measure: Measure how long the study takes here, by a few steps: about a minute.
        runs: Where packs lie, and what is measured.
        telling: How much to tell.
    """
    from understudy.cli.init_command import init_command

    loudness = telling.loudness
    init_command(images, out=out, force=force, measure=measure, runs=runs, loudness=loudness)


@app.command(
    sort_key=AFTER_STAGES,
    usage="understudy predict MODEL IMAGES ... [OPTIONS]",
    help_epilogue=MODELS,
)
def predict(
    model: Path,
    /,
    *images: Path,
    top: int = 3,
    csv: Path | None = None,
    with_teacher: Annotated[bool, Parameter(negative="")] = False,
    telling: Telling = NORMALLY,
) -> int:
    """Say what images show: the likeliest classes, with calibrated probabilities.

    Args:
        model: A finished training, an export, a study, or an exported file.
        images: Image files, and folders of images at any depth.
        top: How many classes to name for each image.
        csv: Write one row for each image, also for those that could not be read.
        with_teacher: Ask the model's teacher too, and show both.
        telling: How much to tell.
    """
    from understudy.cli.predict_command import predict_command

    loudness = telling.loudness
    return predict_command(
        model, images, top=top, rows=csv, teacher=with_teacher, loudness=loudness
    )


@app.command(
    name="check-data",
    sort_key=AFTER_STAGES,
    usage="understudy check-data PATH [KEY=VALUE ...] [OPTIONS]",
    help_epilogue=CHECK_WORDS,
)
def check_data(
    path: str = "",
    /,
    *words: str,
    runs: Path = RUNS,
    html: Path | None = None,
    json: Path | None = None,
    telling: Telling = NORMALLY,
) -> int:
    """Check images before training on them: counts, unfit files, copies, look-alikes.

    Ends with 0 where a training may start, with 3 where it would refuse.

    Args:
        path: The folder of images, or a table of them.
        words: `key=value`, see below.
        runs: Where packs lie; a training with the same words finds the images packed.
        html: Write a page with the pairs as pictures.
        json: Write everything that was found.
        telling: How much to tell.
    """
    from understudy.cli.check_command import check_command

    path, words = _first(path, words, otherwise="")
    return check_command(
        path, words, runs=runs, html=html, json_file=json, loudness=telling.loudness
    )


HELP = ("--help", "-h")


def _command(words: Sequence[str]) -> int:
    try:
        if words[:1] == ["run"] and set(words).intersection(HELP):
            return _help_of_run(words)
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except UnknownOptionError as error:
        option = error.token.keyword or error.token.value
        raise UsageError(f"{error}{meant(option, command=words[0])}") from error
    return code or 0


def _help_of_run(words: Sequence[str]) -> int:
    """The help of the command, and below it that of the study, where one is named."""
    given = [word for word in words if word not in HELP]
    _, bound, _ = app.parse_args(given, exit_on_error=False, print_error=False)
    told = ""
    if bound.args:
        from understudy.cli.study_help import study_help

        study, rest = _first(bound.args[0], bound.args[1:], otherwise=DEFAULT_STUDY)
        told = f"\n{study_help(study, rest)}\n"
    app.help_print(["run"])
    print(told, end="")
    return 0


def _first(name: str, words: tuple[str, ...], *, otherwise: str) -> tuple[str, tuple[str, ...]]:
    """Lets `understudy run seeds=1` do without the name."""
    return (otherwise, (name, *words)) if "=" in name and not Path(name).exists() else (name, words)
