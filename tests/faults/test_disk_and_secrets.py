"""Groups D and F where no unit has the row: the disk, stale locks, damaged files, secrets."""

import errno
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from understudy.cli import main
from understudy.core.errors import StorageError, UnderstudyError
from understudy.core.files import write_text
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.core.run import Run
from understudy.engine.checkpoint import tensors_from

ROOT = Path(__file__).parents[2]


def a_run(folder: Path) -> Run:
    return Run(
        folder / "run",
        stage="train",
        name="a",
        shared=folder,
        identity="0123456789ab",
        progress=Silent(),
        interrupts=Interrupts(),
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_d4_d5_a_log_that_cannot_be_written_stops_the_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path)
    run.start({"identity": run.identity})

    def refuses(*_: Any, **__: Any) -> Any:
        raise OSError(number, "refused", "metrics.jsonl")

    monkeypatch.setattr(Path, "open", refuses)
    with pytest.raises(StorageError, match=r"run: refused") as caught:
        run.log({"step": 1})

    assert caught.value.exit_code == 6


def test_d6_files_are_finished_beside_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the last move is within one file system, wherever /tmp lies."""
    monkeypatch.setenv("TMPDIR", "/nowhere")
    moves: list[tuple[Path, Path]] = []
    replace = Path.replace

    def seen(self: Path, target: Path) -> Path:
        moves.append((self, target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", seen)
    write_text(tmp_path / "a.json", "{}")

    ((source, target),) = moves
    assert source.parent == target.parent == tmp_path


def test_d8_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from filelock import FileLock;"
        "lock = FileLock(Path(sys.argv[1]) / '.lock'); lock.acquire();"
        "print('held', flush=True); time.sleep(60)"
    )
    run = a_run(tmp_path)
    run.path.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(run.path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UnderstudyError, match="another process"):
        run.start({"identity": run.identity})

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()

    a_run(tmp_path).start({"identity": run.identity})


def header(content: dict[str, Any], *, length: int | None = None) -> bytes:
    text = json.dumps(content).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text


F32 = {"dtype": "F32", "shape": [4]}
DAMAGED = {
    "empty": b"",
    "no header": b"\x08",
    "a header of 2^60 bytes": header({}, length=2**60),
    "no JSON": (9).to_bytes(8, "little") + b"not json!",
    "overlapping": header(
        {"a": {**F32, "data_offsets": [0, 16]}, "b": {**F32, "data_offsets": [8, 24]}}
    )
    + bytes(24),
    "beyond the end": header({"a": {**F32, "data_offsets": [0, 16]}}),
    "another size than its shape": header({"a": {**F32, "data_offsets": [0, 8]}}) + bytes(8),
    "2^62 numbers": header(
        {"a": {"dtype": "F32", "shape": [2**62], "data_offsets": [0, 2**64 - 1]}}
    ),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_f2_damaged_weights_are_refused_by_name(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"model\.safetensors: not a safetensors file"):
        tensors_from(content, origin=tmp_path / "model.safetensors")


def test_f11_no_secret_of_the_environment_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any file that a run leaves, or its report: neither a variable nor a word of the caller."""
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "PASSWORD"):
        monkeypatch.setenv(name, "s3cr3t-value")
    monkeypatch.setattr(sys, "argv", ["program.py", "--password=s3cr3t-value"])
    plain = ["machine.precision=fp32", "machine.memory_format=contiguous", "machine.compile=never"]

    words = ["train", "digits", "plan.steps=2", "plan.epochs=null", *plain, "--runs", str(tmp_path)]
    assert main(words) == 0
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "report.html")]) == 0

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"environment.json", "config.yaml", "report.html"} <= {path.name for path in files}
    assert not [path for path in files if b"s3cr3t-value" in path.read_bytes()]


def test_f13_every_locked_package_has_its_hashes_and_known_bad_ones_are_out() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    packages = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", lock).strip())
    pins = [entry for entry in packages if "==" in entry.split("\n")[0]]

    assert len(pins) > 30
    assert all("--hash=sha256:" in entry for entry in pins)
    assert not re.search(r"(?m)^lightning[a-z-]*==2\.6\.[23]\b", lock)
    assert "!=2.6.2,!=2.6.3" in (ROOT / "pyproject.toml").read_text()
