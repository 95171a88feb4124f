"""`understudy predict`, as a person types it, on a model that was trained a moment ago."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image
from tests.traps import pickled_trap

from understudy.cli import main
from understudy.stages.launch import Launched

Launcher = Callable[..., Launched]
pytestmark = pytest.mark.slow  # trains and exports


class Job:
    """A tiny main job on a folder of two colours, and photographs to ask about."""

    def __init__(self, root: Path, go: Launcher) -> None:
        self.root, self.photos = root, root / "photos"
        random = np.random.default_rng(0)
        for place in ("images/red", "images/blue", "photos/inner"):
            (root / place).mkdir(parents=True)
        for name, channel in (("red", 0), ("blue", 2)):
            for number in range(20):
                self.tinted(channel, random).save(root / "images" / name / f"{number}.png")
            self.tinted(channel, random).save(self.photos / "inner" / f"{name}.png")
        data = {"kind": "folder", "path": str(root / "images"), "size": 8}
        labels = {"per_class": 8, "validation_per_class": 2}
        plan = {"steps": 40, "batch_size": 16, "optimizer": {"kind": "sgd", "learning_rate": 0.05}}
        common: dict[str, Any] = {"root": root / "runs", "data": data, "labels": labels}
        (root / "shared").mkdir()
        self.baseline = go("train", name="baseline", plan=plan, **common).run.path
        teacher = str(self.baseline)
        self.student = go("distill", name="student", teacher=teacher, plan=plan, **common).run.path
        self.export = go("export", root=root / "runs", model=str(self.student)).run.path

    @staticmethod
    def tinted(channel: int, random: np.random.Generator) -> Image.Image:
        pixels = random.integers(0, 90, (30, 40, 3), dtype=np.uint8)
        pixels[:, :, channel] += 160
        return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def job(go: Launcher, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    made = Job(tmp_path_factory.mktemp("job"), go)
    shutil.rmtree(made.root / "shared")
    (made.root / "runs" / "shared").symlink_to(shared)
    return made


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def asking(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["predict", *map(str, words)])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return code, shown.out, shown.err

    return asking


Ask = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("kind", ["student", "export", "file", "handed on"])
def test_every_kind_of_model_gives_the_same_answers(
    kind: str, job: Job, ask: Ask, tmp_path: Path
) -> None:
    file = job.export / "student.onnx"
    model = {"student": job.student, "export": job.export, "file": file}.get(kind, tmp_path / "x")
    if kind == "handed on":
        model.mkdir()
        shutil.copy(file, model)

    code, out, err = ask(model, job.photos)

    lines = out.splitlines()
    assert code == 0
    assert len(lines) == 2
    assert all(len(line) < 80 for line in lines)
    for line, name in zip(lines, ("blue", "red"), strict=True):
        assert re.search(rf"{name}\.png  {name} \d+\.\d %  \w+ \d+\.\d %$", line)
    assert "not calibrated" not in err
    _, wanted, _ = ask(file, job.photos)
    found, expected = (re.findall(r"([\d.]+) %", text) for text in (out, wanted))
    assert np.array(found, float) == pytest.approx(np.array(expected, float), abs=0.1)


def test_probabilities_carry_the_temperature(job: Job, ask: Ask, tmp_path: Path) -> None:
    """The same file with a temperature of ten is less sure, and answers the same."""
    model = onnx.load(job.export / "student.onnx")
    properties = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, {**properties, "temperature": "10.0"})
    (tmp_path / "cooler.onnx").write_bytes(model.SerializeToString())

    _, out, _ = ask(job.export, job.photos)
    _, cooler, _ = ask(tmp_path / "cooler.onnx", job.photos)

    one, other = (re.findall(r"png  (\w+) ([\d.]+) %", text) for text in (out, cooler))
    assert [name for name, _ in one] == [name for name, _ in other]
    assert all(float(a) > float(b) for (_, a), (_, b) in zip(one, other, strict=True))


def test_a_run_whose_packed_images_are_gone_answers_and_says_that_it_is_not_calibrated(
    job: Job, ask: Ask, tmp_path: Path
) -> None:
    shutil.copytree(job.student, tmp_path / "runs" / "distill" / job.student.name)

    code, out, err = ask(tmp_path / "runs" / "distill" / job.student.name, job.photos)

    assert code == 0
    assert len(out.splitlines()) == 2
    assert "not calibrated, for its packed images are gone" in err


@pytest.mark.parametrize("model", ["student", "export"])
def test_student_and_teacher_stand_side_by_side(model: str, job: Job, ask: Ask) -> None:
    code, out, _ = ask(getattr(job, model), job.photos, "--with-teacher", "--top=1")

    assert code == 0
    lines = out.splitlines()
    assert len(lines) == 6
    assert re.match(r"  student(\.onnx)? +blue \d", lines[1])
    assert re.match(r"  teacher +blue \d", lines[2])


def test_a_model_without_a_teacher_says_so(job: Job, ask: Ask, tmp_path: Path) -> None:
    for model in (job.baseline, shutil.copy(job.export / "student.onnx", tmp_path)):
        code, out, err = ask(model, job.photos, "--with-teacher")

        assert (code, out) == (2, "")
        assert "no teacher of it is known here" in err


def test_what_cannot_be_read_is_listed_at_the_end_and_the_others_are_answered(
    job: Job, ask: Ask, tmp_path: Path
) -> None:
    photo = (job.photos / "inner" / "red.png").read_bytes()
    bad = {"torn.png": photo[:60], "empty.png": b"", "page.jpg": b"<html>", "=cmd().png": b"x"}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "good.png").write_bytes(photo)

    code, out, err = ask(job.export, tmp_path, "--csv", tmp_path / "out" / "rows.csv", "--top=1")

    assert code == 3
    assert len(out.splitlines()) == 2  # the answer, and where the rows lie
    assert "4 of 5 images could not be read; the others were answered." in err
    assert all(f"{name}: " in err for name in bad)
    rows = list(csv.DictReader((tmp_path / "out" / "rows.csv").read_text().splitlines()))
    assert [bool(row["class_1"]) for row in rows] == [not row["problem"] for row in rows]
    assert [Path(row["image"]).name for row in rows] == sorted([*bad, "good.png"])
    (answered,) = [row for row in rows if row["class_1"]]
    assert answered["class_1"] == "red"
    assert 0.5 < float(answered["probability_1"]) <= 1


def test_a_study_means_the_model_that_it_exported(job: Job, ask: Ask) -> None:
    place = job.root / "runs" / "studies" / "mine"
    place.mkdir(parents=True)
    run = f"{job.export.parent.name}/{job.export.name}"
    entry = {"node": "export", "stage": "export", "run": run, "status": "finished"}
    (place / "study.json").write_text(json.dumps({"name": "mine", "runs": [entry]}))

    code, out, _ = ask(place, job.photos)

    assert (code, len(out.splitlines())) == (0, 2)
    (place / "study.json").write_text(json.dumps({"name": "mine", "runs": []}))
    code, out, err = ask(place, job.photos)
    assert (code, out) == (2, "")
    assert "exported no models" in err


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".pkl", ".onnx", ".safetensors"])
@pytest.mark.parametrize(
    "words",
    [
        ["predict", "{}", "{}"],
        ["export", "model={}"],
        ["evaluate", "models=[{}]"],
        ["distill", "teacher={}"],
        ["finetune", "start={}"],
    ],
)
def test_f1_a_pickle_is_never_opened(
    words: list[str],
    suffix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"model{suffix}"
    file.write_bytes(pickled_trap(tmp_path / "sprung"))

    code = main([word.format(file) for word in words])

    err = capsys.readouterr().err
    assert code == 2
    assert file.name in err
    assert "Traceback" not in err
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, (1 << 62).to_bytes(8, "little") + b"{}"])
def test_f2_damaged_weights_are_a_storage_error(
    content: bytes, job: Job, ask: Ask, tmp_path: Path
) -> None:
    run = tmp_path / "distill" / job.student.name
    shutil.copytree(job.student, run)
    for weights in run.glob("checkpoints/*/model.safetensors"):
        weights.write_bytes(content)

    code, out, err = ask(run, job.photos)

    assert (code, out) == (6, "")
    assert "model.safetensors: damaged" in err


def stray(model: onnx.ModelProto, location: str) -> None:
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)


@pytest.mark.parametrize("location", ["../../etc/passwd", "/etc/passwd", "a link", "a hard link"])
def test_f3_tensors_in_other_files_are_refused(
    location: str, job: Job, ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 4096)
    (tmp_path / "a link").symlink_to(tmp_path / "secret")
    (tmp_path / "a hard link").hardlink_to(tmp_path / "secret")
    model = onnx.load(job.export / "student.onnx")
    stray(model, location)
    (tmp_path / "student.onnx").write_bytes(model.SerializeToString())

    for asked in (tmp_path / "student.onnx", tmp_path):
        code, out, err = ask(asked, job.photos)

        assert (code, out) == (2, "")
        assert "in other files" in err


def test_f6_hostile_names_do_nothing_on_the_screen_and_in_the_rows(
    job: Job, ask: Ask, tmp_path: Path
) -> None:
    model = onnx.load(job.export / "student.onnx")
    properties = {entry.key: entry.value for entry in model.metadata_props}
    names = json.dumps(["=cmd()", "\x1b[31mred\x1b]0;title\x07"])
    onnx.helper.set_model_props(model, {**properties, "classes": names})
    (tmp_path / "hostile.onnx").write_bytes(model.SerializeToString())

    code, out, _ = ask(tmp_path / "hostile.onnx", job.photos, "--csv", tmp_path / "rows.csv")

    assert code == 0
    assert "\x1b" not in out and "\x07" not in out
    rows = list(csv.reader((tmp_path / "rows.csv").read_text().splitlines()))
    assert not any(cell.startswith("=") for row in rows for cell in row)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{export}", "nowhere.png", "nor here"], "nowhere.png\n  nor here"),
        (["nowhere", "{photos}"], "nowhere: does not exist"),
        (["{photos}", "{photos}"], "not a run"),
        (["{export}"], "at least one image"),
        (["{export}", "{photos}", "--top=0"], "must be 1 or more"),
        (["{export}", "{photos}", "--top=x"], "x"),
    ],
)
def test_slips_are_answered_before_any_work(
    words: list[str], told: str, job: Job, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = ask(*(word.format(export=job.export, photos=job.photos) for word in words))

    assert (code, out) == (2, "")
    assert told in err


def test_an_onnx_file_from_elsewhere_is_told_apart(job: Job, ask: Ask, tmp_path: Path) -> None:
    model = onnx.load(job.export / "student.onnx")
    del model.metadata_props[:]
    (tmp_path / "other.onnx").write_bytes(model.SerializeToString())

    code, _, err = ask(tmp_path / "other.onnx", job.photos)

    assert code == 2
    assert "`understudy export` did not write this file" in err
