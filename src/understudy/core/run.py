"""A run's directory: the only place where a training leaves anything, and the only truth of it."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from understudy.core.errors import BusyError, UsageError
from understudy.core.files import (
    make_folder,
    read_json,
    storage_errors,
    write_json,
    write_text,
)
from understudy.core.interrupts import Interrupts
from understudy.core.locks import LOCK, OWNER, Claim, one_at_a_time
from understudy.core.progress import Progress
from understudy.core.yaml import read_yaml, write_yaml

IDENTITY_LENGTH = 12  # 48 bits: a collision among a million runs has a chance of 2 in 1,000


class Run:
    """One training, from its first file to its summary.

    Args:
        path: The directory, by default `runs/<stage>/<name>-<identity>`.
        stage: What kind of run it is.
        name: Its name for people.
        shared: Where packs and other things that runs share lie.
        identity: Hash of everything that can change the numbers.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.
    """

    def __init__(
        self,
        path: Path,
        *,
        stage: str,
        name: str,
        shared: Path,
        identity: str,
        progress: Progress,
        interrupts: Interrupts,
    ) -> None:
        self.path, self.stage, self.name = path, stage, name
        self.shared, self.identity = shared, identity
        self.progress, self.interrupts = progress, interrupts
        self._claim = Claim(path)

    @property
    def is_finished(self) -> bool:
        """Whether the summary, which is written last, is there."""
        return (self.path / "summary.json").exists()

    @property
    def is_started(self) -> bool:
        """Whether an earlier attempt left its settings."""
        return (self.path / "config.yaml").exists()

    def start(self, config: Mapping[str, Any]) -> None:
        """Takes the directory for this process and writes the settings.

        Raises:
            BusyError: Another process works here.
            UsageError: The directory holds another configuration.
            StorageError: The disk refuses.
        """
        make_folder(self.path)
        with storage_errors(self.path):
            taken = self._claim.take()
        if not taken:
            raise BusyError(
                f"{self.path}: another process is working on this run. "
                "Wait for it, or stop it; the same command then continues."
            )
        for torn in self.path.glob(".*.partial"):  # of a process that was killed: we hold its lock
            torn.unlink()
        if self.is_started:
            self.must_be(config)
        elif any(entry.name not in (LOCK, OWNER) for entry in self.path.iterdir()):
            raise UsageError(
                f"{self.path}: not empty, and not a run. Choose an empty or a new folder."
            )
        else:
            write_text(self.path / "config.yaml", write_yaml(dict(config)))

    def must_be(self, config: Mapping[str, Any]) -> None:
        """Compares with the configuration that lies here.

        Raises:
            UsageError: It is another; the differences are named.
        """
        found = read_yaml(self.path / "config.yaml")
        if found.get("identity") == self.identity:
            return
        differences = [
            f"  {key}: there {there!r}, asked for {asked!r}"
            for key, there, asked in _differences(found, json.loads(json.dumps(config)))
        ]
        raise UsageError(
            "\n".join(
                [
                    f"{self.path}: holds a run with other settings or data:",
                    *differences[:20],
                    "Choose another folder, or delete this one.",
                ]
            )
        )

    def write(self, name: str, value: Any) -> None:
        """Writes `name`, a JSON file, under the run's directory."""
        path = self.path / name
        make_folder(path.parent)
        write_json(path, value)

    def log(self, record: Mapping[str, Any]) -> None:
        """Appends one line to metrics.jsonl."""
        with storage_errors(self.path), (self.path / "metrics.jsonl").open("a") as stream:
            stream.write(json.dumps(dict(record), allow_nan=False) + "\n")
        told = ", ".join(f"{key} {_short(value)}" for key, value in record.items())
        self.progress.detail(f"{self.stage} {self.name}: {told}")

    def rewind_log(self, step: int) -> None:
        """Drops lines after `step` and a torn last one, so that a resumed run writes each once."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return
        kept = [line for line in path.read_text().splitlines() if _is_until(line, step)]
        write_text(path, "".join(f"{line}\n" for line in kept))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Writes the summary: from now on the run is finished, and is never trained again."""
        self.write(
            "summary.json",
            {**summary, "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
        )

    def earlier_environment(self) -> dict[str, Any] | None:
        """What an earlier attempt wrote of the machine and its choices; None in the first."""
        path = self.path / "environment.json"
        return read_json(path) if path.exists() else None

    def summary(self) -> dict[str, Any]:
        """What `finish` wrote."""
        content: dict[str, Any] = read_json(self.path / "summary.json")
        return content

    def release(self) -> None:
        """Lets other processes have the directory."""
        self._claim.release()


def find_run(runs: Path, *, stage: str, identity: str) -> Path | None:
    """The directory of a run by its identity, whatever its name."""
    return next(iter(sorted((runs / stage).glob(f"*-{identity}"))), None)


def place_of(runs: Path, *, stage: str, name: str, identity: str, shared: Path) -> Path:
    """The directory of a run by its identity, made under this name where there is none.

    Processes that ask at the same time, under other names, are told the same.

    Raises:
        StorageError: The disk refuses.
    """
    if found := find_run(runs, stage=stage, identity=identity):
        return found
    with one_at_a_time(make_folder(shared) / ".places.lock", waiting=lambda: None):
        found = find_run(runs, stage=stage, identity=identity)
        return found or make_folder(runs / stage / f"{name}-{identity}")


def known_keys(runs: Path, *, stage: str) -> set[str]:
    """The keys of all finished runs of a stage: their settings, whatever their images."""
    summaries = (runs / stage).glob("*/summary.json")
    return {read_json(path).get("key", "") for path in summaries}


def finished_summary(path: Path) -> dict[str, Any]:
    """The summary of a finished run that the user or a study names.

    Raises:
        UsageError: There is no finished run.
    """
    if path.is_file():
        raise UsageError(
            f"{path}: a file, not the directory of a finished run. Weights are read from "
            "safetensors inside runs only; a pickle (.pt, .pth, .ckpt) can run any code and is "
            "never opened."
        )
    if not (path / "config.yaml").exists():
        raise UsageError(f"{path}: not a run; give the directory of a finished one.")
    if not (path / "summary.json").exists():
        raise UsageError(f"{path}: this run is not finished; run its command again first.")
    content: dict[str, Any] = read_json(path / "summary.json")
    return content


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_until(line: str, step: int) -> bool:
    try:
        return bool(json.loads(line)["step"] <= step)
    except (ValueError, KeyError, TypeError):
        return False


def _differences(there: Any, asked: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(there, dict) and isinstance(asked, dict):
        return [
            difference
            for name in sorted({*there, *asked})
            for difference in _differences(there.get(name), asked.get(name), f"{key}.{name}")
        ]
    return [] if there == asked else [(key.lstrip("."), there, asked)]
