"""A student of stored answers alone: no teacher's weights are at hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from scipy.special import softmax
from tests.packs import open_pack
from tests.stage.conftest import Launcher

from understudy.core.errors import DataError, UsageError
from understudy.core.progress import Silent
from understudy.data.pack import Pack
from understudy.data.sources.digits import DigitsSettings
from understudy.stages.launch import Launched
from understudy.stages.observers import answers_on
from understudy.stages.restore import classifier
from understudy.studies.configure import made_of
from understudy.studies.running import run_study
from understudy.studies.study import read_study

PLAN = {"steps": 6, "batch_size": 32, "observations": 1}
AS_THEY_ARE = {"views": [{"transforms": []}], "plan": PLAN}


def weights(launched: Launched) -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / "last" / "model.safetensors")


@pytest.fixture(scope="module")
def pack(shared: Path) -> Pack:
    return open_pack(DigitsSettings(), shared=shared)


@pytest.fixture(scope="module")
def logits(teacher: Launched, pack: Pack) -> NDArray[np.float32]:
    """What the teacher answers to every image as it lies there."""
    found = classifier(teacher.run.path, "best")
    everything = np.arange(len(pack.images))
    return answers_on(found.network, pack, everything, size=found.settings.size).logits


def columns(pack: Pack, values: NDArray[Any]) -> dict[str, Any]:
    """In another order than the pack's, in images and in classes."""
    named = dict(zip(pack.classes, values.T, strict=True))
    backwards = {name: list(named[name])[::-1] for name in reversed(list(named))}
    return {"image": list(pack.names)[::-1], **backwards}


def to_csv(path: Path, pack: Pack, values: NDArray[Any]) -> None:
    pyarrow.csv.write_csv(pa.table(columns(pack, values)), path)


def to_parquet(path: Path, pack: Pack, values: NDArray[Any]) -> None:
    pq.write_table(pa.table(columns(pack, values)), path)


def to_npz(path: Path, pack: Pack, values: NDArray[Any]) -> None:
    np.savez(path, names=np.array(pack.names), classes=np.array(pack.classes), logits=values)


@pytest.mark.parametrize(
    ("name", "write"), [("a.csv", to_csv), ("a.parquet", to_parquet), ("a.npz", to_npz)]
)
def test_of_images_as_they_are_it_is_the_training_with_the_teacher_in_the_loop(
    go: Launcher,
    teacher: Launched,
    pack: Pack,
    logits: NDArray[np.float32],
    tmp_path: Path,
    name: str,
    write: Callable[..., None],
) -> None:
    write(tmp_path / name, pack, logits)
    told: list[str] = []

    loop = go("distill", **AS_THEY_ARE, teacher=str(teacher.run.path), root=tmp_path)
    file = go(
        "distill",
        **AS_THEY_ARE,
        answers={"file": str(tmp_path / name)},
        root=tmp_path,
        say=told.append,
    )

    mine, theirs = weights(loop), weights(file)
    assert max(float((mine[one] - theirs[one]).abs().max()) for one in mine) < 1e-4
    assert file.summary["parents"] == {}
    assert file.summary["answers"]["file"] == name
    assert any("each is taken for every view of its image" in line for line in told)


def test_probabilities_are_taken_as_such(
    go: Launcher, teacher: Launched, pack: Pack, logits: NDArray[np.float32], tmp_path: Path
) -> None:
    file = tmp_path / "probabilities.csv"
    to_csv(file, pack, softmax(logits.astype(float), axis=1))

    loop = go("distill", **AS_THEY_ARE, teacher=str(teacher.run.path), root=tmp_path)
    asked = {**AS_THEY_ARE, "root": tmp_path}
    done = go("distill", **asked, answers={"file": str(file), "are": "probabilities"})

    mine, theirs = weights(loop), weights(done)
    assert max(float((mine[one] - theirs[one]).abs().max()) for one in mine) < 1e-3
    to_csv(file, pack, logits)
    with pytest.raises(DataError, match=r"is no list of probabilities.*`answers\.are=logits`"):
        go("distill", **asked, answers={"file": str(file), "are": "probabilities"})


def test_a_student_of_them_is_exported_and_its_card_says_so(
    go: Launcher, pack: Pack, logits: NDArray[np.float32], tmp_path: Path
) -> None:
    to_npz(tmp_path / "a.npz", pack, logits)
    done = go("distill", plan=PLAN, answers={"file": str(tmp_path / "a.npz")}, root=tmp_path)

    exported = go("export", model=str(done.run.path), root=tmp_path)

    assert "learned from answers stored in `a.npz`" in (exported.run.path / "README.md").read_text()


def test_what_is_no_answer_is_refused(
    go: Launcher, pack: Pack, logits: NDArray[np.float32], tmp_path: Path
) -> None:
    def refused(table: dict[str, Any], kind: type[Exception] = DataError, **more: Any) -> str:
        file = tmp_path / "odd.csv"
        pyarrow.csv.write_csv(pa.table(table), file)
        answers = {"file": str(file), **more.pop("answers", {})}
        with pytest.raises(kind) as caught:
            go("distill", answers=answers, root=tmp_path / "runs", **more)
        return str(caught.value)

    whole = columns(pack, logits)
    assert "has no column 'picture'" in refused(whole, answers={"image": "picture"})
    short = {name: values[:-700] for name, values in whole.items()}
    assert "has no answer to" in refused(short)
    assert "`transfer=labelled`" in refused(short)
    assert "answers more than once to" in refused(
        {name: [*values, values[0]] for name, values in whole.items()}
    )
    without = {name: values for name, values in whole.items() if name != pack.classes[0]}
    assert f"knows 9 classes, but not {pack.classes[0]!r}" in refused(without)
    more = {**whole, "eleven": whole[pack.classes[0]]}
    assert "Set `teacher_classes=by_name`" in refused(more)
    holes = {**whole, pack.classes[1]: ["nan"] * len(logits)}
    text = {**whole, pack.classes[1]: ["x", *map(str, whole[pack.classes[1]][1:])]}
    assert "is NaN or infinite" in refused(holes)
    assert "line 2 holds no number for each of 10 classes" in refused(text)


def test_further_classes_are_left_out_by_name(
    go: Launcher, pack: Pack, logits: NDArray[np.float32], tmp_path: Path
) -> None:
    plain, wide = tmp_path / "plain.parquet", tmp_path / "wide.parquet"
    to_parquet(plain, pack, logits)
    pq.write_table(pa.table({**columns(pack, logits), "eleven": [9.0] * len(logits)}), wide)
    asked = {**AS_THEY_ARE, "root": tmp_path}

    own = go("distill", **asked, answers={"file": str(plain)})
    named = go("distill", **asked, answers={"file": str(wide)}, teacher_classes="by_name")

    mine, theirs = weights(own), weights(named)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_what_stored_answers_cannot_give_is_refused(
    go: Launcher, teacher: Launched, pack: Pack, logits: NDArray[np.float32], tmp_path: Path
) -> None:
    to_npz(tmp_path / "a.npz", pack, logits)
    answers = {"file": str(tmp_path / "a.npz")}

    with pytest.raises(UsageError, match=r"answers\.file = .*nothing: no such file"):
        go("distill", answers={"file": str(tmp_path / "nothing")}, root=tmp_path)
    with pytest.raises(UsageError, match="'attention' needs a teacher with stages"):
        go("distill", answers=answers, terms=[{"kind": "attention"}], root=tmp_path)
    with pytest.raises(UsageError, match=r"answers: .* method\.kind=classifier_reuse compares"):
        go("distill", answers=answers, method={"kind": "classifier_reuse"}, root=tmp_path)
    with pytest.raises(UsageError, match="`answers` are stored already"):
        go("distill", answers=answers, bank={"views": 2}, root=tmp_path)
    with pytest.raises(UsageError, match=r"take `teacher` or `answers` out"):
        go("distill", answers=answers, teacher=str(teacher.run.path), root=tmp_path)
    with pytest.raises(UsageError, match=r"name a finished run, or give `answers\.file`"):
        go("distill", root=tmp_path)


def test_an_npz_file_with_a_pickle_is_not_opened(go: Launcher, tmp_path: Path) -> None:
    file = tmp_path / "trap.npz"
    np.savez(file, names=np.array([{}], dtype=object), classes=["a"], logits=[[1.0]])

    with pytest.raises(DataError, match="cannot be read"):
        go("distill", answers={"file": str(file)}, root=tmp_path)


def test_a_study_whose_answers_lack_images_stops_before_anything_is_trained(
    pack: Pack, logits: NDArray[np.float32], tmp_path: Path
) -> None:
    file = tmp_path / "short.csv"
    pyarrow.csv.write_csv(
        pa.table({name: values[:-900] for name, values in columns(pack, logits).items()}), file
    )
    path = tmp_path / "own.yaml"
    path.write_text(
        "seeds: [1]\nstages:\n"
        "  baseline: {stage: train, plan: {epochs: null, steps: 2}}\n"
        f"  student: {{stage: distill, answers: {{file: {file}}}}}\n"
    )
    study = made_of(read_study(str(path)), {}).study

    with pytest.raises(DataError, match="has no answer to"):
        run_study(study, runs=tmp_path / "runs", progress=Silent())

    assert not (tmp_path / "runs" / "train").exists()
