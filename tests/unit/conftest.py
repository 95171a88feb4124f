"""A folder of runs in any state, and a terminal that a person watches."""

import io
import json
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest


class Stored:
    """Writes runs, studies and packs as they lie on the disk."""

    @staticmethod
    def identity_of(name: str) -> str:
        return sha256(name.encode()).hexdigest()[:12]

    @staticmethod
    def store(
        root: Path,
        name: str,
        *,
        stage: str = "train",
        parents: Sequence[str] = (),
        finished: bool = True,
        pack: str = "",
        weights: str = "",
        when: str = "2026-11-20T10:00:00Z",
    ) -> Path:
        """Writes a run as a stage leaves it; parents are paths, as users and studies give them."""
        identity = Stored.identity_of(name)
        path = root / stage / f"{name}-{identity}"
        (path / "data").mkdir(parents=True)
        models = "".join(f"\n  - {root}/x/{one}-{Stored.identity_of(one)}" for one in parents)
        (path / "config.yaml").write_text(
            f"identity: '{identity}'\nkey: {identity[::-1]}aaaa\nsettings:\n  stage: {stage}\n"
            f"  seed: 3\n  models:{models or ' []'}\n"
        )
        if pack:
            (path / "data" / "splits.json").write_text(json.dumps({"pack": pack}))
        if weights:
            (path / "checkpoints" / "last").mkdir(parents=True)
            state = {"step": 3, "sha256": {"model": weights}}
            (path / "checkpoints" / "last" / "state.json").write_text(json.dumps(state))
        if finished:
            summary: dict[str, Any] = {
                "stage": stage,
                "name": name,
                "identity": identity,
                "finished": when,
            }
            summary |= {"pack": pack, "key": f"{identity[::-1]}aaaa", "seed": 3}
            (path / "summary.json").write_text(json.dumps(summary))
        return path

    @staticmethod
    def study(root: Path, name: str, runs: Sequence[dict[str, Any]], **fields: Any) -> Path:
        """Writes a study's record."""
        folder = root / "studies" / name
        folder.mkdir(parents=True)
        content = {"name": name, "runs": list(runs), **fields}
        (folder / "study.json").write_text(json.dumps(content))
        return folder

    @staticmethod
    def named(path: Path) -> dict[str, Any]:
        """How a study names a run that is finished."""
        run = f"{path.parent.name}/{path.name}"
        return {"run": run, "identity": path.name[-12:], "key": "", "status": "finished"}

    @staticmethod
    def waited_for(path: Path, *, error: str = "") -> dict[str, Any]:
        """How a study names a run that is not finished: by its settings alone."""
        status = "failed" if error else "pending"
        key = f"{path.name[-12:][::-1]}aaaa"
        return {"run": None, "identity": None, "key": key, "status": status, "error": error}

    @staticmethod
    def pack(root: Path, key: str) -> Path:
        """Writes something where packs lie."""
        place = root / "shared" / "packs" / key
        place.mkdir(parents=True)
        (place / "images.npy").write_bytes(bytes(5000))
        (place.parent / f"q-{key}.key").write_text(f"{key}\n")
        return place

    @staticmethod
    def bank(root: Path, key: str, *, of: str) -> Path:
        """Writes something where banks lie, answers of a teacher of these weights."""
        place = root / "shared" / "banks" / key
        place.mkdir(parents=True)
        (place / "answers.f16").write_bytes(bytes(5000))
        (place / "bank.json").write_text(json.dumps({"weights": of}))
        return place


@pytest.fixture(scope="session")
def stored() -> type[Stored]:
    return Stored


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Puts a terminal at both ends when called; in a fixture pytest would take it away again."""

    def put() -> Terminal:
        monkeypatch.setenv("TERM", "dumb")
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(sys, "stdout", Terminal())
        assert isinstance(sys.stdout, Terminal)
        return sys.stdout

    return put
