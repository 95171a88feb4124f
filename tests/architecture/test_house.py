"""What the documents promise of the code's structure."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.objectives import every_objective
from understudy.reference import reference

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "understudy"


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def test_dependencies_point_down() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


def test_one_file_imports_timm() -> None:
    importing = [
        path
        for path in sources()
        if re.search(r"^\s*(import|from) timm\b", path.read_text(), re.MULTILINE)
    ]

    assert [path.name for path in importing] == ["timm_backbone.py"]


def test_there_is_one_training_loop() -> None:
    """`.backward(` stands in the loop, and in the probe that measures the very same step."""
    stepping = [path.name for path in sources() if ".backward(" in path.read_text()]

    assert stepping == ["loop.py", "measure.py"]


UNPICKLES = re.compile(
    r"\b(import|from) (pickle|dill|joblib|cloudpickle)\b|torch\.load\(|torch\.save\("
    r"|torch\.hub|jit\.load\(|allow_pickle=True|add_safe_globals|\beval\("
)


def test_one_file_reads_a_pickle_and_of_it_weights_alone() -> None:
    found = [
        (str(path.relative_to(SOURCE)), line.strip())
        for path in sources()
        for line in path.read_text().splitlines()
        if UNPICKLES.search(line) and ".eval()" not in line and "`torch.save" not in line
    ]

    read = 'return torch.load(path, map_location="cpu", weights_only=True)'
    assert found == [("engine/foreign_weights.py", read)]


def test_what_reads_pickles_serves_import_alone() -> None:
    named = [
        str(path.relative_to(SOURCE))
        for path in sources()
        if re.search(r"^\s*(from|import) .*\bforeign_weights\b", path.read_text(), re.MULTILINE)
    ]

    assert named == ["stages/importing.py"]


def test_no_drawers() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "misc.py"}

    assert not drawers & {path.name for path in sources()}


@pytest.mark.parametrize("settings", every_objective(), ids=lambda kind: kind.__name__)
def test_every_objective_has_an_oracle_and_tests_of_its_own(settings: type) -> None:
    name = settings.model_fields["kind"].default  # type: ignore[attr-defined]

    assert (ROOT / "tests" / "reference" / f"test_{name}.py").exists()
    assert list((ROOT / "tests" / "unit" / "objectives").rglob(f"test_{name}.py"))


def test_every_file_that_the_architecture_names_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)

    folders = {
        path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert set(named) == folders


def test_methods_have_different_names() -> None:
    names = reference()["names"]["methods"]

    assert len(set(names)) == len(names)


def test_every_dependency_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    bounds = re.findall(r'^    "[\w.-]+[><=!~][^"]*",(.*)$', text, re.MULTILINE)

    assert bounds
    assert all("#" in rest for rest in bounds)
