"""Every command: its words, options and help. The work lies in the modules beside this one.

They are imported when their command runs, for `--help` must not wait for torch; that is why
functions here import.
"""

import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter, validators

from understudy.cli.loudness import Telling
from understudy.cli.names import explained, names_of
from understudy.cli.runs_commands import RUNS, stored
from understudy.cli.settings_help import own_runs, reference, settings_help
from understudy.cli.whole import whole_or_auto
from understudy.cli.words import name_first
from understudy.core.shipped import shipped_names

DEFAULT_STUDY = "digits"
NORMALLY = Telling()
MAIN_JOB = Group("From images to a model", sort_key=0)
STAGES = Group("One stage alone", sort_key=1)
MORE = Group("More", sort_key=2)
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
CHECK_WORDS = """Words: the settings under `data.` and `split.` of every stage, those of `data.`
also without it: `size=64`, `kind=parquet`, `unlabeled=PATH`,
`split.allow_duplicates=true`. The defaults are those of `understudy run
few-labels`, which looks at 32 x 32 pixels."""

INIT_WORDS = """Words: settings of the images that the study shall have, such as `size=64`,
`unlabeled=PATH`, or of a table `root=FOLDER`, `path_column=file_name`."""

IMPORT_WORDS = """FILE: what `torch.save` wrote (.pth, .pt, .pth.tar), or safetensors. It holds a
ResNet-18, 34, 50 or 101 under torchvision's names, wherever in the file, as
those of MoCo, BYOL, SimSiam, Barlow Twins, solo-learn and torchvision do.
Pickles are read by torch's weights-only loader, here and nowhere else; what
asks for more than weights is refused. Heads, copies and optimizers are left
aside, and named.

Words: settings of `understudy adopt`. `data=PATH` are the images that it shall
see, to whose channels it is fitted; `size=224` their side in pixels, the
default; `mean=[0.485, 0.456, 0.406]` and `std=[0.229, 0.224, 0.225]`, those of
ImageNet, are the defaults too.

The run serves other commands as `start=`, `teacher=` and `models=`."""

app = App(
    name="understudy",
    help="From many images and few labels to a small, fast model, with the evidence.",
    help_epilogue="Any command takes --debug, which shows the traceback of an error.",
    version=f"understudy {metadata.version('understudy')}",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # failures.py answers it
)
for _flag in ("--help", "--version"):
    app[_flag].group = MORE


@app.command(
    group=MAIN_JOB,
    sort_key=2,
    usage="understudy run [STUDY] [KEY=VALUE ...] [OPTIONS]",
    help_epilogue=f"{WORDS}\n\nShipped studies: {', '.join(shipped_names('studies'))}.",
)
def run(
    study: str = DEFAULT_STUDY,
    /,
    *words: str,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    workers: Annotated[int | Literal["auto"], Parameter(converter=whole_or_auto)] = 1,
    on: str = "here",
    cpus: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 1.0,
    gpus: Annotated[float | None, Parameter(validator=validators.Number(gte=0))] = None,
    runs: Path = RUNS,
    telling: Telling = NORMALLY,
) -> int:
    """Run a study: every stage, for every seed, that is not finished yet.

    Args:
        study: Name of a shipped study, or path of a YAML file.
        words: `key=value`, see below.
        dry_run: Print the graph of runs, the time and the disk that they take as far as runs
            like them were measured, and do nothing.
        workers: How many runs to do at once, each in a process of its own with its share of the
            cores. Small networks leave a GPU, and several cores, idle much of the time. `auto`
            begins with one and doubles while that is measured to pay and memory holds it; a line
            tells what was found. A `budget` is measured as if one run followed the other.
        on: A cluster that does the runs, with RUNS on a disk that all its machines see: `ray` for
            the Ray cluster at hand, or ray://HOST:PORT. Needs the extra [ray].
        cpus: Processors of each run, on a cluster.
        gpus: GPUs of each run, on a cluster; 0.5: two share one. By default one where it has any.
        runs: Where runs, packs and results lie.
        telling: How much to tell.
    """
    from understudy.cli.run_command import run_command

    study, words = name_first(study, words, otherwise=DEFAULT_STUDY)
    return run_command(
        study,
        words,
        dry_run=dry_run,
        workers=workers,
        on=on,
        cpus=cpus,
        gpus=gpus,
        runs=runs,
        loudness=telling.loudness,
    )


def _add_stage(stage: str, position: int) -> None:
    """Adds the command of one stage; all have the same form."""

    def command(
        *words: str,
        runs: Path = RUNS,
        name: str | None = None,
        out: Path | None = None,
        telling: Telling = NORMALLY,
    ) -> int:
        """The command of a stage; its help comes from the settings' reference.

        Args:
            words: A shipped recipe or a YAML file, without which all is by default; finished
                runs; and `key=value`, see below.
            runs: Where runs, packs and results lie.
            name: Name of the run for people; by default that of the recipe.
            out: The run's folder, instead of one under `runs`.
            telling: How much to tell.
        """
        from understudy.cli.stage_command import stage_command

        return stage_command(stage, words, runs=runs, name=name, out=out, loudness=telling.loudness)

    app.command(
        command,
        name=stage,
        group=STAGES,
        sort_key=position,
        usage=f"understudy {stage} [RECIPE] {_takes(stage)}[KEY=VALUE ...] [OPTIONS]",
        help=reference()["stages"][stage]["help"],
        help_epilogue=settings_help(stage),
    )


def _takes(stage: str) -> str:
    """How a usage line names the finished runs that a stage works on."""
    takes = own_runs(stage)
    return "" if takes is None else "RUN RUN ... " if takes.takes_several else "RUN "


for _position, _stage in enumerate(reference()["stages"], start=1):
    _add_stage(_stage, _position)


@app.command(name="list", group=MORE)
def list_(what: str = "", /) -> None:
    """List by name: studies, recipes, methods, objectives, transforms, backbones or sources.

    A terminal is shown the paper of each objective and what each transform does as well; a pipe is
    given one name a line.

    Args:
        what: One of these words.
    """
    for line in explained(what) if sys.stdout.isatty() else names_of(what):
        print(line)


@app.command(group=MAIN_JOB, sort_key=3, help_epilogue=COLUMNS)
def report(
    runs: Path | None = None,
    /,
    *,
    rows: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    html: Path | None = None,
    csv: Path | None = None,
    markdown: Path | None = None,
    telling: Telling = NORMALLY,
) -> None:
    """Show what runs are worth: a table here, and a page or a file of rows where asked for.

    Args:
        runs: A study's folder, a folder of runs, or one run; `runs` without a word.
        rows: A CSV file of results, whoever wrote it, in the place of runs; give it once a file.
            `teacher=FILE` and `baseline=FILE` say what rows are, where columns do not tell.
        html: Write a self-contained page with plots.
        csv: Write one row for each trained model and checkpoint.
        markdown: Write a page for a repository: table, findings, run ids.
        telling: How much to tell.
    """
    from understudy.cli.report_command import report_command

    report_command(
        runs, rows=rows, html=html, csv=csv, markdown=markdown, loudness=telling.loudness
    )


stored.group = MORE
app.command(stored)


@app.command(group=MORE, help_epilogue=COMPLETED)
def completion(shell: str = "", /) -> None:
    """Print a script that completes commands, names and keys in your shell.

    Args:
        shell: bash, zsh or fish.
    """
    from understudy.cli.completion import completion_script

    print(completion_script(app, shell), end="")


@app.command(
    group=MAIN_JOB,
    sort_key=1,
    usage="understudy init IMAGES [KEY=VALUE ...] [OPTIONS]",
    help_epilogue=INIT_WORDS,
)
def init(
    images: Path,
    /,
    *words: str,
    out: Path | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    measure: bool = True,
    runs: Path = RUNS,
    telling: Telling = NORMALLY,
) -> None:
    """Look at images and write a commented study for them to start from.

    Args:
        images: A folder of class folders, with or without train/, test/, unlabeled/ above them; or
            a table of images (.csv, .tsv, .parquet).
        words: `key=value`, see below.
        out: The study's file; by default named after the images, here.
        force: Write over a file that is there.
        measure: Measure how long the study takes here, by a few steps of each training.
        runs: Where packs lie, and what is measured.
        telling: How much to tell.
    """
    from understudy.cli.init_command import init_command

    loudness = telling.loudness
    init_command(images, words, out=out, force=force, measure=measure, runs=runs, loudness=loudness)


@app.command(
    group=MAIN_JOB,
    sort_key=4,
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
    scale: float | None = None,
    telling: Telling = NORMALLY,
) -> int:
    """Say what images show: the likeliest classes, with calibrated probabilities.

    Args:
        model: A finished training, an export, a study, or an exported file.
        images: Image files, and folders of images at any depth.
        top: How many classes to name for each image.
        csv: Write one row for each image, also for those that could not be read.
        with_teacher: Ask the model's teacher too, and show both.
        scale: Of bands, what takes the files' numbers to those that the model learned from.
        telling: How much to tell.
    """
    from understudy.cli.predict_command import predict_command

    loudness = telling.loudness
    return predict_command(
        model, images, top=top, rows=csv, teacher=with_teacher, scale=scale, loudness=loudness
    )


@app.command(
    name="check-data",
    group=MAIN_JOB,
    sort_key=0,
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

    path, words = name_first(path, words, otherwise="")
    return check_command(
        path, words, runs=runs, html=html, json_file=json, loudness=telling.loudness
    )


@app.command(
    name="import",
    group=STAGES,
    sort_key=100,
    usage="understudy import FILE [KEY=VALUE ...] [OPTIONS]",
    help_epilogue=IMPORT_WORDS,
)
def import_(
    file: Path,
    /,
    *words: str,
    network: str = "",
    projector: Annotated[bool, Parameter(negative="")] = False,
    runs: Path = RUNS,
    name: str | None = None,
    out: Path | None = None,
    telling: Telling = NORMALLY,
) -> int:
    """Bring a ResNet that others pretrained (BYOL, MoCo, ...) as a finished run.

    Args:
        file: The file of weights.
        words: `key=value`, see below.
        network: Where in the file it lies, such as module.encoder_k, if there are several.
        projector: Keep MoCo v2's head of two layers as the projector.
        runs: Where runs, packs and results lie.
        name: Name of the run for people; by default that of the file.
        out: The run's folder, instead of one under `runs`.
        telling: How much to tell.
    """
    from understudy.cli.import_command import import_command

    return import_command(
        file,
        words,
        network=network,
        projector=projector,
        runs=runs,
        name=name,
        out=out,
        loudness=telling.loudness,
    )
