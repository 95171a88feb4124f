"""The command line, as a person types it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.cli import main
from understudy.cli.settings_help import reference
from understudy.core.shipped import shipped_names

COMMANDS = (
    "run",
    "train",
    "pretrain",
    "finetune",
    "distill",
    "evaluate",
    "export",
    "list",
    "report",
    "adopt",
    "ensemble",
    "init",
    "predict",
    "runs",
    "completion",
    "check-data",
    "mutual",
    "fixmatch",
    "import",
)
TOY = """
parameters: {epochs: 3}
seeds: [1, 2]
stages:
  baseline: {stage: train, plan: {epochs: '${epochs}'}}
  student: {stage: distill, teacher: '@baseline', plan: {epochs: '${epochs}'}}
"""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_printed_and_nothing_is_wrong(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), "--help"]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: understudy {command}".rstrip())
    assert all(name in shown for name in COMMANDS) or command


@pytest.mark.parametrize("stage", list(reference()["stages"]))
def test_help_of_a_stage_names_every_setting(
    stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([stage, "--help"])

    shown = capsys.readouterr().out
    for setting in reference()["stages"][stage]["settings"]:
        assert f"  {setting['key']}" in shown


SLOW_TO_IMPORT = ("torch", "numpy", "timm", "onnx", "plotly", "pandas", "pydantic", "ruamel")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_that_takes_time(command: str) -> None:
    """How long it takes is measured by `bench.start`; a loaded machine says nothing here."""
    code = (
        "import sys; from understudy.cli import main; code = main(sys.argv[1:]);"
        f"slow = set({SLOW_TO_IMPORT}) & set(sys.modules);"
        "sys.exit(f'imported {slow}' if slow else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command, "--help"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_help_of_a_study_imports_no_torch() -> None:
    code = (
        "import sys; from understudy.cli import main; code = main(['run', 'digits', '--help']);"
        "sys.exit('imported torch' if 'torch' in sys.modules else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "labels.per_class=5" in done.stdout


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"understudy \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize("what", ["studies", "methods", "objectives", "backbones", "sources"])
def test_lists_are_one_name_a_line(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(re.fullmatch(r"[a-z0-9_-]+", line) for line in lines)
    assert len(set(lines)) == len(lines)


def test_a_terminal_is_shown_the_paper_of_each_objective_in_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["list", "objectives"])
    names = capsys.readouterr().out.split()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main(["list", "objectives"])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == names
    assert max(map(len, lines)) < 80
    assert sum("arXiv:" in line for line in lines) >= len(names) - 1  # MLKD has none
    assert re.search(r"\battention +Attention transfer [^)]*arXiv:1612\.03928\)", "".join(lines))


def test_listed_recipes_are_taken_by_their_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "recipes"]) == 0

    stages = {line.split("/")[0] for line in capsys.readouterr().out.splitlines() if line}
    assert stages <= set(reference()["stages"])


def test_a_dry_run_prints_the_graph_and_touches_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("toy study.yaml").write_text(TOY)

    assert main(["run", "toy study.yaml", "--dry-run", "seeds=4,5,6"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "baseline  train     3 x  seeds 4, 5, 6",
        "student   distill   3 x  seeds 4, 5, 6  after baseline",
        "time: not known, for no run like these was measured",
        "disk: about 33 MB (6 by their parameters); beside packs and banks, which runs",
        "      share",
        "6 runs: 3 train, 3 distill",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["toy study.yaml"]


@pytest.mark.parametrize("words", [[], ["digits"], ["seeds=1"], ["digits", "scale=smoke"]])
def test_the_default_study_needs_no_name(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *words, "--dry-run"]) == 0

    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"\d+ runs: \d+ \w+(, \d+ \w+)*", last)
    assert [word.split()[1] for word in last.partition(": ")[2].split(", ")] == [
        stage for stage in reference()["stages"] if f" {stage}" in last
    ]


def test_every_shipped_study_can_be_planned_without_its_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["list", "studies"])
    studies = capsys.readouterr().out.split()

    assert "digits" in studies
    for study in studies:
        assert main(["run", study, "--dry-run"]) == 0, capsys.readouterr().err


def test_debug_shows_the_traceback_and_keeps_the_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "nothing-like-this", "--debug"]) == 2

    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert "error: no study is called 'nothing-like-this'" in shown


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m understudy distill --help | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.startswith("Usage: understudy distill")
    assert done.stderr == ""


def test_a_terminal_that_lacks_the_letters_shows_others(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "understudy", "run", f"{tmp_path}/größe ✓.yaml"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 2
    assert b"no such file" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_reference_is_plain_json() -> None:
    assert json.loads(json.dumps(reference())) == reference()


def test_help_of_a_study_lists_its_parameters_as_they_would_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("toy.yaml").write_text(TOY)

    assert main(["run", "--runs", "x", "toy.yaml", "--dry-run", "epochs=7", "--help"]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("Usage: understudy run")
    assert "  epochs=7\n  seeds=1,2\n" in shown


@pytest.mark.parametrize("study", shipped_names("studies"))
def test_help_of_every_shipped_study_fits_eighty_columns(
    study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", study, "--help"]) == 0

    own = capsys.readouterr().out.split(f"\n{study}: ")[1]
    assert max(map(len, own.splitlines())) <= 79
    assert "  scale=smoke  " in own


def test_help_of_a_study_that_is_none_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "digts", "--help"]) == 2
    assert "did you mean 'digits'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--on", "ray", "--workers", "4"], "counts processes of this machine"),
        (["--cpus", "2"], "this study runs here"),
        (["--on", "slurm"], "must be here, ray, or ray://HOST:PORT"),
    ],
)
def test_a_dry_run_refuses_a_place_that_the_run_would(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "digits", "--dry-run", *words]) == 2
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_a_dry_run_says_what_was_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "few-labels", "labels.per_class=7", "seeds=3", "--dry-run"]) == 0

    assert capsys.readouterr().out.splitlines()[0] == "with labels.per_class=7"


@pytest.mark.parametrize("workers", ["1.5", "two", "0", "AUTO"])
def test_a_number_of_workers_is_refused_and_not_rounded(
    workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "digits", "--workers", workers, "--dry-run"]) == 2

    assert workers in capsys.readouterr().err


def test_the_number_of_workers_may_be_left_to_measurement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "digits", "--workers", "auto", "--dry-run"]) == 0

    assert "runs: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["run", "few-labels", "data=nowhere"],
        ["run", "few-labels", "data=.", "data.unlabeled=nowhere"],
        ["train", "data.kind=folder", "data.path=nowhere"],
    ],
)
def test_a_place_that_is_not_there_is_refused_before_torch(words: list[str]) -> None:
    code = (
        "import sys; from understudy.cli import main; code = main(sys.argv[1:]);"
        "sys.exit('imported torch' if 'torch' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "= nowhere: does not exist" in done.stderr


@pytest.mark.parametrize("slip", ["epohcs=3", "student.depth=9", "machine.threads=0"])
def test_a_place_that_is_not_there_is_told_with_all_other_slips(
    slip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "few-labels", "data=nowhere", slip]) == 2

    told = capsys.readouterr().err
    assert "2 mistakes" in told
    assert slip.split("=")[0] in told
    assert "data.path = nowhere: does not exist" in told
