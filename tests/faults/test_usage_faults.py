"""Group A of what must be survived: anything wrong in what was asked ends with exit code 2.

One screen, no traceback, the offending key or file in it, and the nearest valid one.
"""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.cli import main

STUDY = """\
title: A trial
parameters:
  data: {kind: folder, path: images}
  student: {kind: cifar_resnet, depth: 8}
  epochs: 3
stages:
  baseline:
    stage: train
    data: ${data}
    backbone: ${student}
    plan: {epochs: '${epochs}'}
  student:
    stage: distill
    teacher: '@baseline'
    data: ${data}
    student: ${student}
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("trial.yaml").write_text(STUDY)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> "Refused":
    return Refused(capsys)


class Refused:
    """Runs a command that must be refused and returns its message."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        code = main(words)
        shown = self._capsys.readouterr()
        assert (code, shown.out) == (2, "")
        assert shown.err.startswith("error: ")
        assert "Traceback" not in shown.err
        assert shown.err.count("\n") < 25
        assert not Path("runs").exists()
        return shown.err


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["rn"], '"run"'),
        (["run", "--dryrun"], "--dry-run"),
        (["report", "--htlm=x"], "--html"),
        (["train", "--epochs", "5"], "`plan.epochs=...`"),
        (["train", "--plan.batchsize=5"], "`plan.batch_size=...`"),
        (["run", "--epochs=5"], "as `key=value`"),
        (["run", "--runs"], "--runs requires an argument"),
        (["list", "studys"], "'studies'"),
        (["list"], "studies, recipes"),
        (["run", "digist"], "'digits'"),
        (["run", "trial.yml"], "no such file"),
        (["run", "trail"], "The path of a YAML file serves as well"),
        (["train", "no-such-recipe"], "no train recipe is called 'no-such-recipe'"),
        (["distill", "recipes/x.yaml"], "no such file"),
        (["run", "trial.yaml", "epohcs=3"], "'epochs'"),
        (["run", "trial.yaml", "studnet.depth=8"], "'student.depth'"),
        (["run", "trial.yaml", "depth=8"], "'student.depth'"),
        (["run", "trial.yaml", "student.dpeth=8"], "'depth' (default 20)"),
        (["train", "plan.epohcs=5"], "'epochs'"),
        (["train", "epochs=5"], "'plan.epochs'"),
        (["train", "backbone.kind=cifar"], "'cifar_resnet'"),
        (["train", "optimizer.learning_rate=1"], "'plan.optimizer'"),
        (["train", "plan.schedule={shape: constant, final: 0.1}"], "`final` belongs to cosine"),
        (["train", "backbone.depth=15"], "backbone.depth = 15  must be 6n+2"),
        (["train", "plan.optimizer.learning_rate=true"], "learning_rate = True  must not be true"),
        (["train", "digits", "data.path=x"], "data.path  unknown key; it belongs to kind=folder"),
        (["train", "data=here"], "data.path = here: does not exist"),
        (["init", ""], "word 2 is empty"),
        (["predict", "", "images"], "word 2 is empty"),
        (["train", "digits", "--runs="], "--runs= has no value"),
        (["train", "digits", "--out", ""], "word 4 is empty"),
        (["train", "data="], "data.path = ''  must be a path; `.` is the current folder"),
        (["run", "few-labels", "data="], "data.path = ''  must be a path"),
        (["finetune", "start="], "start = ''  must be a path"),
        (["evaluate", "models=['']"], "models[0] = ''  must be a path"),
        (["check-data", "images", "unlabeled="], "data.unlabeled = ''  must be a path"),
        (["train", "digits", "plan.steps=3"], "`null` takes one back"),
        (["run", "few-labels", "student.kind=timm", "student.name=resnet81"], "resnet18"),
        (["run", "few-labels", "student.blocks=3"], "student.blocks  unknown"),
    ],
)
def test_a1_a_slip_is_answered_with_the_nearest_word(
    refused: Refused, words: list[str], nearest: str
) -> None:
    assert nearest in refused(
        *words, *(["--dry-run"] if words[:2] == ["run", "trial.yaml"] else [])
    )


def test_a4_slips_of_every_sort_are_told_together(refused: Refused) -> None:
    words = ["epohcs=3", "student.depth=9", "scale=smok", "seeds=x", "machine.device=tpu"]

    message = refused("run", "trial.yaml", *words, "--dry-run")

    assert "5 mistakes" in message
    for key in ("epohcs", "student.depth = 9", "scale = 'smok'", "seeds = 'x'", "machine.device"):
        assert key in message


@pytest.mark.parametrize(
    "value", ["fast", ".nan", ".inf", "-.inf", "1e309", "", "[]", "{}", "null", "true", "-1", "0"]
)
def test_a2_a_number_is_finite_in_its_range_and_nothing_else(refused: Refused, value: str) -> None:
    message = refused("train", f"plan.optimizer.learning_rate={value}", "plan.optimizer.kind=sgd")

    assert "plan.optimizer.learning_rate = " in message
    assert any(word in message for word in ("above 0", "greater than 0", "true or false"))


@pytest.mark.parametrize("value", ["9", "8.5", "deep", "null", "[8]", "1e400"])
def test_a2_a_choice_says_what_there_is(refused: Refused, value: str) -> None:
    message = refused("run", "trial.yaml", f"student.depth={value}", "--dry-run")

    assert "trial.yaml: 1 mistake\n  student.depth = " in message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            STUDY.replace("title:", "titel:"),
            "titel  unknown key; did you mean 'title'? Known: axes,",
        ),
        (STUDY.replace("title:", "titel:"), "(line 1)"),
        (
            STUDY.replace("teacher:", "teachr:"),
            "stages.student.teachr  unknown key; did you mean 'teacher'",
        ),
        (STUDY.replace("teacher:", "teachr:"), "(line 14)"),
        (STUDY + "title: again\n", 'line 17: found duplicate key "title"'),
        (STUDY.replace("  epochs: 3", "\tepochs: 3"), "line 5: found character '\\t'"),
        (STUDY + "stages", "line 17"),
        ("- a\n- b\n", "must hold `key: value` lines; found list"),
        ("", "must hold `key: value` lines"),
        (STUDY.replace("epochs: 3", "epochs: !!python/name:os.system"), "constructor"),
        (STUDY.replace("${student}", "${studnet}"), "did you mean 'student'?"),
        (STUDY.replace("@baseline", "@baselin"), "did you mean 'baseline'?"),
        (STUDY.replace("@baseline", "@student"), "wait for each other: student -> student"),
        (STUDY.replace("stage: distill", "stage: distil"), "did you mean 'distill'?"),
    ],
)
def test_a3_a_study_that_is_not_one_is_refused_with_its_place(
    refused: Refused, text: str, complaint: str
) -> None:
    Path("trial.yaml").write_text(text)

    message = refused("run", "trial.yaml", "--dry-run")

    assert message.startswith("error: trial.yaml")
    assert complaint in message


def test_a3_a_recipe_is_read_as_strictly(refused: Refused) -> None:
    Path("recipe.yaml").write_text("plan:\n  epochs: 3\n  batchsize: 8\nseed: 1\n")

    message = refused("train", "recipe.yaml", "seed=0")

    assert (
        "recipe.yaml: 1 mistake\n  plan.batchsize  unknown key; did you mean 'batch_size'"
        in message
    )
    assert message.endswith("(line 3)\n")


def test_a3_a_power_of_ten_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    Path("trial.yaml").write_text(STUDY.replace("epochs: 3", "epochs: 1e1"))

    assert main(["run", "trial.yaml", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("2 runs: 1 train, 1 distill\n")


def test_a4_several_mistakes_are_told_at_once(refused: Refused) -> None:
    message = refused(
        "run", "trial.yaml", "student.depth=9", "epochs=.nan", "data.kidn=x", "--dry-run"
    )

    assert "trial.yaml: 3 mistakes" in message
    for key in ("student.depth = 9", "epochs = nan", "data.kidn  unknown key"):
        assert key in message


def test_a4_a_mistake_that_every_stage_and_seed_shares_is_told_once(refused: Refused) -> None:
    message = refused("run", "trial.yaml", "student.depth=9", "seeds=1,2,3", "--dry-run")

    assert message.count("student.depth") == 1


@pytest.mark.parametrize("seeds", ["x", "1,x", "-1", "1,1", "1.5", "1;2", ""])
def test_seeds_are_values_and_different(refused: Refused, seeds: str) -> None:
    assert "seeds = " in refused("run", "trial.yaml", f"seeds={seeds}", "--dry-run")


def test_a_scale_that_a_study_does_not_have(refused: Refused) -> None:
    assert "this study has no scales" in refused("run", "trial.yaml", "scale=smoke", "--dry-run")
    assert "did you mean 'smoke'" in refused("run", "digits", "scale=smok", "--dry-run")


@pytest.mark.parametrize("word", ["epochs", "=3", "a b=3", "-e=3", "epochs:3"])
def test_a_word_of_another_form(refused: Refused, word: str) -> None:
    message = refused("run", "trial.yaml", "--dry-run", word)

    assert "key=value" in message


def test_a_parameter_that_no_stage_reads_is_no_silent_wish(refused: Refused) -> None:
    Path("trial.yaml").write_text(
        STUDY.replace("student: ${student}", "student: {kind: '${student.kind}'}").replace(
            "backbone: ${student}", "backbone: {kind: '${student.kind}'}"
        )
    )

    assert "student.depth  is read by no stage" in refused(
        "run", "trial.yaml", "student.depth=14", "--dry-run"
    )


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').system('touch hacked')",
        "$(touch hacked)",
        "!!python/object/apply:os.system [touch hacked]",
    ],
)
def test_a9_text_that_looks_like_code_stays_text(refused: Refused, code: str) -> None:
    assert "epochs = " in refused("run", "trial.yaml", f"epochs={code}", "--dry-run")
    assert "learning_rate = " in refused(
        "train", "plan.optimizer.kind=sgd", f"plan.optimizer.learning_rate={code}"
    )
    assert not Path("hacked").exists()


@pytest.mark.parametrize(
    "name", ["x" * 5000, "a\nb.yaml", "../..", "dir/", ".", "\x1b[31mred.yaml"]
)
def test_a11_odd_paths_are_refused_and_cannot_paint(refused: Refused, name: str) -> None:
    assert "\x1b" not in refused("run", name)


@pytest.mark.parametrize("folder", ["with space", "größe ✓", "a'b\"c", "-dash", "x" * 200])
def test_a11_odd_paths_work(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(folder).mkdir()
    place = Path(folder) / "my study.yaml"
    place.write_text(STUDY)

    assert main(["run", f"./{place}", f"data={folder}", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("2 runs: 1 train, 1 distill\n")


def test_a_file_that_may_not_be_read_or_is_no_text(refused: Refused) -> None:
    Path("binary.yaml").write_bytes(b"\x80\x04\x95\xff\x00")
    Path("folder.yaml").mkdir()

    assert "binary.yaml: cannot be read as UTF-8 text" in refused("run", "binary.yaml")
    assert "folder.yaml: no such file" in refused("run", "folder.yaml")


def test_a_process_ends_as_the_function_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "understudy", "run", "digist", "seeds=x"],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no study is called 'digist'; did you mean 'digits'?")


KEYS = (
    "data",
    "data.kind",
    "data.path",
    "student",
    "student.kind",
    "student.depth",
    "epochs",
    "seeds",
    "scale",
)
VALUES = (
    "",
    "3",
    "-1",
    "1e309",
    ".nan",
    "null",
    "true",
    "[]",
    "{}",
    "{kind: timm}",
    "[1, {a: b}]",
    "x y",
    "'",
    "&a",
    "*a",
    "!!x",
    "${epochs}",
    "@baseline",
    "\x1b[2J",
)


@given(
    st.lists(
        st.builds(
            "{}={}".format,
            st.sampled_from(KEYS) | st.text(max_size=12),
            st.sampled_from(VALUES) | st.text(max_size=20),
        )
        | st.text(max_size=12),
        max_size=4,
    )
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_words_are_a_bug(words: list[str]) -> None:
    said, complained = io.StringIO(), io.StringIO()

    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = main(["run", "trial.yaml", "--dry-run", *words])

    assert code in (0, 2), complained.getvalue()
    assert "\x1b" not in said.getvalue() + complained.getvalue()
    assert not Path("runs").exists()
