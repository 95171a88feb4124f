"""Completion scripts, as shells take them."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.cli import main
from understudy.cli.completion import SHELLS
from understudy.cli.names import LISTS
from understudy.core.shipped import shipped_names

Completed = Callable[..., list[str]]
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == 0
    path = tmp_path / "understudy.bash"
    path.write_text(capsys.readouterr().out)
    return path


@pytest.fixture
def completed(script: Path) -> Completed:
    """What bash offers for the last of some words."""

    def ask(*words: str) -> list[str]:
        asked = " ".join(f"'{word}'" for word in words)
        program = (
            f"source '{script}'; COMP_WORDS=({asked}); COMP_CWORD={len(words) - 1};"
            '_understudy_words; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout.split()

    return ask


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_takes_its_script(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = shutil.which(shell)
    assert main(["completion", shell]) == 0
    path = tmp_path / "script"
    path.write_text(capsys.readouterr().out)
    if program is None:
        pytest.skip(f"there is no {shell} here")

    done = subprocess.run([program, "-n", path], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@needs_bash
def test_commands_and_options_are_completed(completed: Completed) -> None:
    assert {"run", "distill", "runs", "completion"} <= set(completed("understudy", ""))
    assert completed("understudy", "run", "--dr") == ["--dry-run"]
    assert set(completed("understudy", "runs", "")) == {"list", "show", "clean"}
    assert set(completed("understudy", "list", "")) == set(LISTS)


@needs_bash
def test_names_and_keys_are_completed(completed: Completed) -> None:
    assert set(completed("understudy", "run", "")) == set(shipped_names("studies"))
    assert "labels.per_class=" in completed("understudy", "run", "few-labels", "lab")
    assert completed("understudy", "train", "dig") == ["digits"]
    assert completed("understudy", "train", "digits", "plan.bat") == ["plan.batch_size="]
    assert completed("understudy", "run", "few-labels", "machine.dev") == ["machine.device="]


@needs_bash
def test_behind_a_key_stands_a_value_and_not_another_key(completed: Completed) -> None:
    assert completed("understudy", "run", "few-labels", "data", "=") == []
    assert completed("understudy", "run", "few-labels", "data", "=", "im") == []


def test_completed_names_do_not_narrow_what_a_command_takes(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script is made from a copy of the commands; the commands stay as they are."""
    assert script.exists()
    study = tmp_path / "my own.yaml"
    study.write_text("stages: {only: {stage: train}}\n")

    assert main(["run", str(study), "machine.threads=1", "--dry-run"]) == 0
    assert "1 runs: 1 train" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["", "tcsh", "Bash"])
def test_another_shell_is_answered_with_those_there_are(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", *([shell] if shell else [])]) == 2
    assert "bash, fish, zsh" in capsys.readouterr().err
