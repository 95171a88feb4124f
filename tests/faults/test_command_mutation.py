"""Real commands under random mutation: no traceback, no hang, an exit code that means something.

Commands are those of the README, of CONTRIBUTING, of the help, and a few wrong ones of ours. No
trial may start a training: what is not a dry run is pointed at a folder that cannot be made.
"""

import contextlib
import faulthandler
import io
import os
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from understudy.cli import main
from understudy.cli.settings_help import reference, setting_keys

ROOT = Path(__file__).parents[2]
SEED = os.environ.get("UNDERSTUDY_MUTATION_SEED", "0")
TRIALS, IN_PROCESSES = 2000, 6
ALLOWED = {0, 2, 3, 6, 7}  # see core/errors.py: nothing here may diverge, run out, or be a bug
MOST_LINES = 45
HANG_SECONDS = 60
NOWHERE = "--runs=/dev/null/runs"
STAGES = tuple(reference()["stages"])
STUDY = """\
parameters:
  data: {kind: folder, path: images}
  student: {kind: cifar_resnet, depth: 8}
  epochs: 3
stages:
  baseline: {stage: train, data: '${data}', backbone: '${student}', plan: {epochs: '${epochs}'}}
  student: {stage: distill, teacher: '@baseline', data: '${data}', student: '${student}'}
"""
OWN = (
    "run trial.yaml epochs=5 student.depth=14 seeds=1,2 --dry-run",
    "run trial.yaml data=missing --dry-run --runs elsewhere",
    "run digits scale=smoke seeds=3 machine.device=cpu --dry-run",
    "run missing.yaml",
    "train digits plan.epochs=2 backbone.depth=9",
    "train missing.yaml seed=1",
    "finetune start=missing plan.steps=3 --name x",
    "distill teacher=missing terms=[{kind: soft_label, weight: 0.5}]",
    "evaluate models=[a, b] on=val --out there",
    "export model=missing checkpoint=last",
    "list sources",
    "report missing --html report.html --csv rows.csv --markdown page.md",
    "report . --quiet",
    "runs list . --json",
    "runs show student --runs .",
    "runs clean . --unused",
    "completion bash",
)
ODD = (
    *("", " ", "-", "--", "---", "=", "==", "=x", "x=", "--help", "-h", "--version"),
    *("--quiet", "--verbose", "-q", "--no-quiet", "--quiet=maybe", "@", "@baseline", "${epochs}"),
    *("null", "true", ".nan", "-1", "1e309", "9" * 400, "[]", "{}", "[[[[", "{a: {b: {c:", "&a *a"),
    *("!!python/object:os.system", "\x1b[2J", "\x00", "\n", "\t", "\u202e", "\ud800", "\U0001f393"),
    *("~", "..", ".", "a" * 5000, "'", '"', "`", "\\", "%s", "{0}", "*", "?", "data.kind=parquet"),
    *("data.kind=digits", "student.kind=timm", "seeds=", "seeds=1,1", "scale=", "budget=1min"),
    *("machine.device=cuda:99", "plan.optimizer={}", "terms=", "terms[0]=3", "a.b.c.d=1"),
    *("--runs", "--name", "--out", "--html", "--csv=", "--json"),
)


def shown() -> list[list[str]]:
    """The commands of the documents, and the help of every command."""
    text = "\n".join((ROOT / page).read_text() for page in ("README.md", "CONTRIBUTING.md"))
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    documented = [shlex.split(line)[1:] for line in lines if re.match(r"understudy [a-z]", line)]
    helps = [[command, "--help"] for command in ("run", "list", "report", "runs", *STAGES)]
    return [*documented, *helps, *map(shlex.split, OWN)]


COMMANDS = shown()
WORDS = sorted({word for command in COMMANDS for word in command} | {"run", "runs", *STAGES})
KEYS = sorted({key for stage in STAGES for key in setting_keys(stage)})


def mutated(draw: random.Random) -> list[str]:
    """A real command with one to four slips, safe to carry out."""
    words = list(draw.choice(COMMANDS))
    for _ in range(draw.randint(1, 4)):
        words = draw.choice(SLIPS)(words, draw)
    return _harmless(words)


def _anywhere(words: Sequence[str], draw: random.Random) -> int:
    return draw.randrange(len(words)) if words else 0


def dropped(words: list[str], draw: random.Random) -> list[str]:
    at = _anywhere(words, draw)
    return [*words[:at], *words[at + 1 :]]


def doubled(words: list[str], draw: random.Random) -> list[str]:
    at = _anywhere(words, draw)
    return [*words[: at + 1], *words[at:]]


def swapped(words: list[str], draw: random.Random) -> list[str]:
    return draw.sample(words, len(words))


def inserted(words: list[str], draw: random.Random) -> list[str]:
    at = draw.randint(0, len(words))
    word = draw.choice([draw.choice(ODD), draw.choice(WORDS), _setting(draw)])
    return [*words[:at], word, *words[at:]]


def replaced(words: list[str], draw: random.Random) -> list[str]:
    return inserted(dropped(words, draw), draw)


def misspelt(words: list[str], draw: random.Random) -> list[str]:
    if not words:
        return words
    at = _anywhere(words, draw)
    word, place = words[at], draw.randint(0, len(words[at]))
    letter = draw.choice(["", "x", "-", "=", ".", "[", ":", " ", "é", "\x1b", "0"])
    cut = draw.choice([0, 1, 2])
    return [*words[:at], word[:place] + letter + word[place + cut :], *words[at + 1 :]]


def revalued(words: list[str], draw: random.Random) -> list[str]:
    """Another value behind a key that is right."""
    if not words:
        return words
    at = _anywhere(words, draw)
    key = words[at].partition("=")[0]
    return [*words[:at], f"{key}={draw.choice(ODD)}", *words[at + 1 :]]


def _setting(draw: random.Random) -> str:
    return f"{draw.choice(KEYS)}={draw.choice(ODD)}"


SLIPS = (dropped, doubled, swapped, inserted, replaced, misspelt, revalued, revalued)


def _harmless(words: Sequence[str]) -> list[str]:
    """The command with a place for runs that cannot be made, unless it is a dry run."""
    safe = [word for word in words if not word.startswith("/")]
    if "--dry-run" in safe and not any(word.startswith("--dry-run=") for word in safe):
        return safe
    kept = [word for word in safe if not word.startswith("--runs")]
    at = next((at for at, word in enumerate(kept) if word in ("run", *STAGES)), None)
    return safe if at is None else [*kept[: at + 1], NOWHERE, *kept[at + 1 :]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("trial.yaml").write_text(STUDY)
    Path("runs").write_text("a file, so that no run can be made here either")
    return tmp_path


@contextlib.contextmanager
def _no_hang() -> Iterator[None]:
    """Shows where it hangs, and ends the process: a hang cannot be waited for."""
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def complaint(words: Sequence[str], code: int, said: str, complained: str) -> str:
    """What is wrong with how a command ended; "" where nothing is."""
    wrong = [
        f"exit code {code}" if code not in ALLOWED else "",
        "a traceback" if "Traceback" in said + complained else "",
        "no reason given" if code and "error: " not in complained else "",
        "more than a screen" if complained.count("\n") > MOST_LINES else "",
        "a control character" if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", complained) else "",
    ]
    found = ", ".join(one for one in wrong if one)
    if not found:
        return ""
    command = shlex.join(["understudy", *words])
    return f"{found}\n  replay, beside the trial.yaml of this test: {command}\n{complained[-2000:]}"


def test_two_thousand_mutated_commands_end_cleanly(folder: Path) -> None:
    wrong = []
    for number in range(TRIALS):
        words = mutated(random.Random(f"{SEED}-{number}"))
        said, complained = io.StringIO(), io.StringIO()
        redirected = (contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained))
        with redirected[0], redirected[1], _no_hang():
            code = main(words)
        if found := complaint(words, code, said.getvalue(), complained.getvalue()):
            wrong.append(f"trial {number} of seed {SEED}: {found}")

    assert not wrong, f"{len(wrong)} of {TRIALS}:\n" + "\n".join(wrong[:10])
    assert not (folder / "runs").is_dir()


@pytest.mark.slow
def test_a_sample_of_them_ends_so_as_a_process_of_its_own(folder: Path) -> None:
    assert folder.exists()
    for number in range(IN_PROCESSES):
        words = mutated(random.Random(f"{SEED}-process-{number}"))
        if any("\x00" in word or not word.isprintable() for word in words):
            continue  # no system passes on a word with a zero byte
        done = subprocess.run(
            [sys.executable, "-m", "understudy", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG_SECONDS,
        )
        assert not complaint(words, done.returncode, done.stdout, done.stderr)
