"""Claims on folders, here and from machine to machine."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.core import locks
from understudy.core.locks import OWNER, Claim, is_claimed

HOLDS = """
import sys, time
from pathlib import Path
from understudy.core.locks import Claim
claim = Claim(Path(sys.argv[1]))
print(claim.take(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_is_one_processs_until_it_is_released(tmp_path: Path) -> None:
    first, second = Claim(tmp_path), Claim(tmp_path)

    assert first.take()
    assert not second.take()
    assert is_claimed(tmp_path)
    first.release()
    assert not is_claimed(tmp_path)
    assert second.take()
    second.release()
    assert not (tmp_path / OWNER).exists()


def test_what_a_killed_process_held_is_free_at_once(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    claim = Claim(tmp_path)
    assert is_claimed(tmp_path)
    assert not claim.take()

    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    assert (tmp_path / OWNER).exists(), "it had no time to take its name away"
    assert not is_claimed(tmp_path)
    began = time.monotonic()
    assert claim.take()
    assert time.monotonic() - began < locks.LEASE / 2, "known by process and start, not by waiting"
    claim.release()


@pytest.fixture
def elsewhere(
    tmp_path: Path, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The name of an owner of another machine, whose lock does not reach here."""
    monkeypatch.setattr(locks, "LEASE", 2.0)
    monkeypatch.setattr(locks, "SIGN", 0.5)
    owner = tmp_path / OWNER
    text = owner.read_text()
    holder.kill()
    holder.wait()
    owner.write_text(re.sub("duration=.*", "duration=2.0", re.sub("host=.*", "host=another", text)))
    return owner


def test_an_owner_elsewhere_that_gives_signs_of_life_keeps_its_folder(
    tmp_path: Path, elsewhere: Path
) -> None:
    over = threading.Event()

    def lives() -> None:
        while not over.wait(0.3):
            elsewhere.touch()

    signs = threading.Thread(target=lives)
    signs.start()
    try:
        assert not Claim(tmp_path).take()
        assert is_claimed(tmp_path)
    finally:
        over.set()
        signs.join()


def test_an_owner_elsewhere_without_signs_of_life_loses_it(tmp_path: Path, elsewhere: Path) -> None:
    assert is_claimed(tmp_path), "nothing tells yet that it is gone"

    claim = Claim(tmp_path)

    assert claim.take()
    assert "host=another" not in elsewhere.read_text()
    claim.release()
