"""A study whose runs are done by a Ray cluster: a real one, on this machine, of two processors."""

import getpass
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from understudy.core.errors import MissingResourceError, UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.studies.executors.place import Place

STUDY = """
title: A teacher and its students
axes: {temperature: [1, 2, 4, 8]}
stages:
  teacher:
    stage: train
COMMON
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 4, batch_size: 32}
  student:
    stage: distill
    teacher: '@teacher'
COMMON
    student: {kind: cifar_resnet, depth: 8, width: 0.5}
    terms: [{kind: soft_label, temperature: '${temperature}'}]
    plan: {steps: 300, batch_size: 32, observations: 60}
"""
COMMON = """
    data: {kind: digits}
    labels: {per_class: 5, validation_per_class: 5}
    machine: {device: cpu, precision: fp32, memory_format: contiguous, compile: never, threads: 1}
"""
PORTS = (
    *("node-manager-port", "object-manager-port", "metrics-export-port"),
    *("dashboard-agent-listen-port", "dashboard-agent-grpc-port", "runtime-env-agent-port"),
)
SETTINGS = {
    "RAY_worker_register_timeout_seconds": "300",  # a busy machine takes long to start them
    "RAY_AUTH_MODE": "token",  # nobody else of this machine, and no file in anybody's home
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed"
)


@pytest.fixture
def address() -> Iterator[str]:
    """Of a cluster of this machine with room for two runs, which ends with the test."""
    told = ""
    for _ in range(4):  # a node gives up when a part of it has not started within 15 seconds
        folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets allow no long path
        port, *others = _free_ports(len(PORTS) + 1)
        process = subprocess.Popen(
            _head(folder, port, others),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=_environment(),
        )
        try:
            assert process.stdout
            for line in process.stdout:
                told += line
                if "Ray runtime started" in line:
                    (host,) = re.findall(r"Local node IP: (\S+)", told)[-1:]
                    yield f"{host}:{port}"
                    return
        finally:
            process.terminate()
            try:
                process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            shutil.rmtree(folder, ignore_errors=True)
    raise AssertionError(told)


def _head(folder: str, port: int, others: list[int]) -> list[str]:
    """The command of a cluster with nothing but what a study needs.

    Ports are given, for a node that chooses them waits until all are known.
    """
    return [
        *(str(Path(sys.executable).with_name("ray")), "start", "--head", "--block"),
        *("--disable-usage-stats", "--include-dashboard=false", "--include-log-monitor=false"),
        *("--num-cpus=2", "--object-store-memory=100000000", f"--temp-dir={folder}"),
        f"--port={port}",
        *(f"--{name}={port}" for name, port in zip(PORTS, others, strict=True)),
    ]


def _environment() -> dict[str, str]:
    """That of this process, but what is imported is compiled once for all processes of Ray."""
    environment = {**os.environ, **SETTINGS, "PYTHONWARNINGS": "ignore"}
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        place = Path(tempfile.gettempdir()) / f"understudy-tests-{getpass.getuser()}-compiled"
        environment["PYTHONPYCACHEPREFIX"] = str(place)
    return environment


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in found]


@needs_ray
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a local cluster ends with its process there")
def test_a_study_goes_on_after_a_signal_and_where_a_process_is_killed(
    address: str, tmp_path: Path
) -> None:
    (tmp_path / "far.yaml").write_text(STUDY.replace("COMMON\n", COMMON.lstrip("\n")))
    distilled = tmp_path / "runs" / "distill"

    def begun() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "understudy", "run", "far.yaml", "--on", "ray"],
            cwd=tmp_path,  # and runs lie in a relative folder
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**_environment(), "RAY_ADDRESS": address},
        )

    stopped = begun()
    try:
        _until(lambda: _working(distilled, set()), stopped)
        stopped.send_signal(signal.SIGINT)
        _, errors = stopped.communicate(timeout=500)
    finally:
        stopped.kill()
    assert stopped.returncode == 130, errors
    assert "the same command continues" in errors
    runs = [log.parent for log in distilled.glob("*/metrics.jsonl") if log.stat().st_size]
    assert all((run / "checkpoints" / "last" / "state.json").exists() for run in runs)
    assert any(not (run / "summary.json").exists() for run in runs), "saved, and not at its end"

    scheduler = begun()
    seen: set[int] = set()
    try:
        victim = _until(lambda: _working(distilled, seen), scheduler)
        os.kill(victim, signal.SIGKILL)
        told, errors = scheduler.communicate(timeout=500)
    finally:
        scheduler.kill()

    assert scheduler.returncode == 0, errors
    assert "its process is lost (WorkerCrashedError); it goes on in another one" in errors
    assert "Report: " in told
    record = json.loads((tmp_path / "runs" / "studies" / "far" / "study.json").read_text())
    assert [run["status"] for run in record["runs"]] == ["finished"] * 5
    summaries = [json.loads(p.read_text()) for p in tmp_path.glob("runs/*/*/summary.json")]
    assert {summary["at_once"] for summary in summaries} == {2}
    assert len(summaries) == 5
    for log in tmp_path.glob("runs/*/*/metrics.jsonl"):
        steps = [json.loads(line).get("step", 0) for line in log.read_text().splitlines()]
        assert steps == sorted(steps), "what was done before the kill is not told twice"


def test_without_ray_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(MissingResourceError, match=r"pip install understudy\[ray\]") as caught:
        Place(on="ray").opened(Interrupts(), Silent())

    assert caught.value.exit_code == 7


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        (Place(on="slurm"), "on = 'slurm': must be here, ray, or ray://HOST:PORT"),
        (Place(on="ray", cpus=0), "cpus = 0, gpus = None: must be above 0"),
        (Place(on="ray", gpus=-1), "cpus = 1, gpus = -1: must be above 0"),
        (Place(on="ray", workers=4), "workers = 4: counts processes of this machine; on ray a run"),
        (Place(cpus=2), "this study runs here. Leave them out, or set `on`"),
        (Place(gpus=0.5, workers=2), "this study runs here. Leave them out, or set `on`"),
    ],
)
def test_a_place_that_is_none_is_refused(place: Place, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        place.must_be_one()


def _working(runs: Path, seen: set[int]) -> int:
    """A process that trains, once two have been seen at the same time; 0 while there is none."""
    now = set()
    for owner in runs.glob("*/.owner"):
        try:
            lines = owner.read_text().splitlines()
        except FileNotFoundError:
            continue
        now |= {int(line.removeprefix("pid=")) for line in lines if line.startswith("pid=")}
    seen |= now if len(now) == 2 else set()
    trains = any(log.stat().st_size for log in runs.glob("*/metrics.jsonl"))
    return next(iter(now & seen), 0) if trains else 0


def _until(holds: Callable[[], int], scheduler: subprocess.Popen[str]) -> int:
    deadline = time.monotonic() + 500
    while not (found := holds()):
        if scheduler.poll() is not None:
            pytest.fail("\n".join(scheduler.communicate()))
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found
