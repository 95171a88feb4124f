"""Whatever the README shows is run."""

import re
import shlex
from pathlib import Path

import pytest

from understudy.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
MAKEFILE = (ROOT / "Makefile").read_text()


def shown(start: str) -> list[str]:
    """Lines of code blocks that begin so, without their remarks."""
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    ]
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(start)]


@pytest.mark.parametrize("line", sorted(set(shown("make "))))
def test_every_make_target_that_is_shown_exists(line: str) -> None:
    target = line.split()[1]

    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("line", shown("understudy run"))
def test_every_study_that_is_shown_can_be_planned_without_its_data(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(line)[1:]

    code = main([*words, *([] if "--dry-run" in words else ["--dry-run"])])

    assert code == 0
    assert re.fullmatch(
        r"\d+ runs: .*1?\d* (train|pretrain).*", capsys.readouterr().out.splitlines()[-1]
    )


@pytest.mark.parametrize("line", [*shown("understudy list"), *shown("understudy train --help")])
def test_what_only_tells_tells(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(shlex.split(line)[1:])

    assert code == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.slow
def test_the_shown_stages_run_one_after_the_other_and_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The README's stage commands, with a short plan and the folder's real name for `...`."""
    monkeypatch.chdir(tmp_path)
    few = ["machine.precision=fp32", "machine.compile=never", "plan.steps=3", "plan.epochs=null"]

    def made(words: list[str]) -> str:
        assert main(words) == 0
        return capsys.readouterr().out.splitlines()[-1]

    for line in shown("understudy pretrain") + shown("understudy finetune"):
        words = [
            str(next(Path(word.removeprefix("start=")).parent.glob("digits-*"))).join(
                ["start=", ""]
            )
            if word.startswith("start=")
            else word
            for word in shlex.split(line)[1:]
        ]
        teacher = made([*(word for word in words if not word.startswith("plan.")), *few])
    student = made(["distill", "digits", f"teacher={teacher}", *few])
    made(["evaluate", "digits", f"models=[{teacher}, {student}]"])
    made(["export", "digits", f"model={student}"])

    report = next(line for line in shown("understudy report"))
    assert main(shlex.split(report)[1:]) == 0
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert len((tmp_path / "rows.csv").read_text().splitlines()) >= 5
