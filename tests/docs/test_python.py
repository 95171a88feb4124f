"""Whatever the page on Python shows is run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_blocks_of_the_tutorial_run_one_after_the_other(tmp_path: Path) -> None:
    program = tmp_path / "tutorial.py"
    program.write_text("\n".join(blocks()))
    folder = tmp_path / "empty"
    folder.mkdir()

    done = subprocess.run(
        [sys.executable, "-W", "error", program], cwd=folder, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "student" in done.stdout
    assert "did you mean 'per_class'?" in done.stdout
    assert {path.name for path in folder.iterdir()} == {"runs", "report.html", "photos"}


def test_every_verb_is_told_of() -> None:
    import understudy

    verbs = {name for name in understudy.__all__ if name[0].islower()}
    named = {name for name in verbs if f"understudy.{name}" in PAGE.read_text()}

    assert verbs - named <= {
        "train",
        "distill",
        "ensemble",
        "mutual",
        "fixmatch",
        "evaluate",
        "export",
    }  # of the same form as others
