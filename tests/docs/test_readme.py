"""Whatever the README shows is run."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest
from PIL import Image
from tests.rasters import class_folders, patch

from understudy.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
MAKEFILE = (ROOT / "Makefile").read_text()


def shown(start: str) -> list[str]:
    """Lines of code blocks that begin so, without their remarks."""
    blocks = [
        block
        for page in PAGES
        for language, block in re.findall(
            r"^```(\w*)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL
        )
        if not language
    ]
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(start)]


@pytest.mark.parametrize("line", sorted(set(shown("make "))))
def test_every_make_target_that_is_shown_exists(line: str) -> None:
    target = line.split()[1]

    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


HELPS = [line for line in shown("understudy") if line.endswith("--help")]


@pytest.mark.parametrize("line", [one for one in shown("understudy run ") if one not in HELPS])
def test_every_study_that_is_shown_can_be_planned_without_its_data(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(line)[1:]

    code = main([*words, *([] if "--dry-run" in words else ["--dry-run"])])

    assert code == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(re.fullmatch(r"\d+ runs: .*1?\d* (train|pretrain).*", line) for line in lines)


@pytest.mark.parametrize("line", [*shown("understudy list"), *HELPS])
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

    found: dict[str, str] = {}
    stages = ("pretrain", "finetune", "distill", "ensemble")
    for line in [line for stage in stages for line in shown(f"understudy {stage} ")]:
        words = [
            str(next(Path(word).parent.glob("digits-*"))) if word.endswith("-...") else word
            for word in shlex.split(line)[1:]
            if not word.startswith("plan.")
        ]
        found[words[0]] = made([*words, *([] if words[0] == "ensemble" else few)])
    models = [found[stage] for stage in ("finetune", "distill", "ensemble")]
    made(["evaluate", "digits", *models])
    made(["export", "digits", f"model={found['distill']}"])

    report = next(line for line in shown("understudy report"))
    assert main(shlex.split(report)[1:]) == 0
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert len((tmp_path / "rows.csv").read_text().splitlines()) >= 5


BANDS = [line for line in shown("understudy ") if "bands=" in line or "kind=patches" in line]


@pytest.mark.parametrize("line", BANDS)
def test_images_of_bands_are_read_as_shown(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "PATH", each=4)
    for number in range(4):
        patch(tmp_path / "PATCHES", f"wet_{number}", "Rice fields", seed=number)
        patch(tmp_path / "PATCHES", f"dry_{number}", "Pastures", seed=50 + number)

    words = shlex.split(line)[1:]

    assert main([*words, *(["--no-measure"] if words[0] == "init" else [])]) == 0


def test_three_ways_to_images_of_bands_are_shown() -> None:
    assert len(BANDS) == 3


def tinted(colour: str, *, share: float) -> Image.Image:
    """Noise that is mostly of one colour."""
    noise = Image.effect_noise((24, 20), 40).convert("RGB")
    return Image.blend(noise, Image.new("RGB", noise.size, colour), share)


@pytest.mark.slow
def test_the_shown_program_names_the_class_of_a_photograph(tmp_path: Path) -> None:
    """On a model of two colours: what it is shown is what it says."""
    (program,) = re.findall(
        r"^```python\n(.*?)^```", PAGES[0].read_text(), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "use.py").write_text(program)
    for colour in ("red", "blue"):
        (tmp_path / "images" / colour).mkdir(parents=True)
        for number in range(20):
            tinted(colour, share=0.4 + number / 50).save(
                tmp_path / "images" / colour / f"{number}.png"
            )
    where = ["data.kind=folder", f"data.path={tmp_path / 'images'}", "data.size=8"]
    place = [f"--runs={tmp_path / 'runs'}"]
    plain = ["machine.precision=fp32", "machine.compile=never", "plan.epochs=null"]
    trained, exported = tmp_path / "trained", tmp_path / "exported"
    few = ["labels.per_class=8", "plan.steps=60", "plan.optimizer.learning_rate=0.02"]
    assert main(["train", *where, *plain, *few, *place, f"--out={trained}"]) == 0
    assert main(["export", f"model={trained}", *place, f"--out={exported}"]) == 0
    (model,) = exported.glob("*.onnx")
    facts = onnxruntime.InferenceSession(model).get_modelmeta().custom_metadata_map
    steps = json.loads(facts["preprocessing"])["steps"]
    assert "the central square is resized to 8 x 8 pixels (bicubic, antialiased)" in steps

    for colour in ("red", "blue"):
        photo = tmp_path / f"{colour}.jpg"
        tinted(colour, share=0.6).save(photo)
        said = subprocess.run(
            [sys.executable, tmp_path / "use.py", model, photo],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert re.fullmatch(rf"{colour} \d+%\n", said)


def test_every_row_of_results_that_is_shown_stands_in_a_record() -> None:
    rows = [line for line in PAGES[0].read_text().splitlines() if line.startswith("| ")]
    records = [page.read_text() for page in (ROOT / "docs" / "results").glob("*.md")]

    assert len(rows) > 2
    assert all(any(row in record for record in records) for row in rows)
