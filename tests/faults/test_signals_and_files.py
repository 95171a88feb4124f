"""What a real process does when it is stopped, and with files that it must not open."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.traps import pickled_trap

from understudy.cli import main

PLAIN = ["machine.precision=fp32", "machine.memory_format=contiguous", "machine.compile=never"]


def started(runs: Path) -> subprocess.Popen[str]:
    """A training of a few minutes, past its first checkpoint."""
    words = [*PLAIN, "plan.epochs=null", "plan.steps=20000", "plan.observations=5000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "understudy", "train", "digits", *words, "--runs", str(runs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(runs.glob("train/*/checkpoints/last")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "no checkpoint within two minutes"
        time.sleep(0.1)
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 75)],
)
def test_a_signal_saves_and_leaves_with_its_exit_code(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    process = started(tmp_path)

    process.send_signal(number)
    _, told = process.communicate(timeout=20)

    assert process.returncode == code
    assert "the same command continues" in told
    assert "Traceback" not in told
    (run,) = (tmp_path / "train").iterdir()
    assert (run / "checkpoints" / "last" / "state.json").exists()
    assert not (run / "summary.json").exists()


@pytest.mark.slow
def test_two_processes_cannot_train_one_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = started(tmp_path)
    words = [*PLAIN, "plan.epochs=null", "plan.steps=20000", "plan.observations=5000"]
    try:
        code = main(["train", "digits", *words, "--runs", str(tmp_path)])
    finally:
        process.kill()
        process.communicate()

    assert code == 2
    assert "another process" in capsys.readouterr().err


def test_a_pickle_offered_as_a_teacher_is_not_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "teacher.pth"
    path.write_bytes(pickled_trap(tmp_path / "sprung"))

    code = main(["distill", "digits", f"teacher={path}", "--runs", str(tmp_path / "runs")])

    told = capsys.readouterr().err
    assert code == 2
    assert "teacher.pth" in told
    assert "pickle" in told
    assert not (tmp_path / "sprung").exists()


def test_a_teacher_that_is_not_there_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["distill", "digits", f"teacher={tmp_path / 'gone'}", "--runs", str(tmp_path / "runs")]
    )

    assert code == 2
    assert "gone" in capsys.readouterr().err
    assert not (tmp_path / "runs" / "shared" / "packs").exists(), "refused before any heavy work"


@pytest.mark.slow
def test_a_loss_that_is_not_finite_is_exit_code_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan.optimizer.learning_rate=1e30", "plan.epochs=null", "plan.steps=200", *PLAIN]

    code = main(["train", "digits", *words, "--runs", str(tmp_path)])

    told = capsys.readouterr().err
    assert code == 4
    assert "not finite" in told
    assert "learning_rate" in told
    assert "Traceback" not in told
