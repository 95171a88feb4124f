"""Reading a study's file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.core.errors import UsageError
from understudy.studies.study import Study, read_study

Reader = Callable[..., Study]


def test_a_study_is_called_like_its_file_unless_it_says_otherwise(study: Reader) -> None:
    stages = "stages: {only: {stage: train}}"

    assert study(stages, name="few-labels.yaml").name == "few-labels"
    assert study(stages, name="a b, ü.yaml").name == "a-b"
    assert study(stages, name="ü.yaml").name == "study"
    assert study(f"name: other\n{stages}", name="few-labels.yaml").name == "other"


def test_an_unknown_name_is_answered_with_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no study is called 'digist'.*YAML file"):
        read_study("digist")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.yaml: no such file"):
        read_study(str(tmp_path / "absent.yaml"))


def test_a_name_longer_than_any_file_system_takes_is_only_unknown() -> None:
    with pytest.raises(UsageError, match="no study is called"):
        read_study("x" * 5000)


def test_unknown_keys_are_named_with_their_lines(study: Reader) -> None:
    with pytest.raises(UsageError, match=r"2 mistakes") as caught:
        study("titel: A\nstages:\n  only: {stage: train}\nparameter: {}\n")

    assert "titel  unknown key; did you mean 'title'" in str(caught.value)
    assert "(line 1)" in str(caught.value)
    assert "parameter  unknown key; did you mean 'parameters'" in str(caught.value)
    assert "(line 4)" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: ../up\nstages: {a: {stage: train}}", "names a folder"),
        ("stages: {}", "stages  missing"),
        ("title: nothing to do", "stages  missing"),
        ("stages: {a: {epochs: 1}}", "stages.a.stage  missing"),
        ("stages: {a b: {stage: train}}", "stages.a b  must be called by"),
        ("parameters: {seeds: 1}\nstages: {a: {stage: train}}", "seeds  cannot name"),
        ("parameters: {x: 1}\naxes: {x: [1]}\nstages: {a: {stage: train}}", "axes.x  is also"),
        ("parameters: {x: 1}\nscales: {s: {y: 1}}\nstages: {a: {stage: train}}", "scales.s.y"),
        ("axes: {x: []}\nstages: {a: {stage: train}}", "axes.x"),
        ("seeds: [1, 1]\nstages: {a: {stage: train}}", "must be different"),
        ("seeds: [-1]\nstages: {a: {stage: train}}", "seeds[0] = -1"),
        ("seeds: [true]\nstages: {a: {stage: train}}", "must not be true or false"),
    ],
)
def test_what_a_study_cannot_be_is_refused(study: Reader, text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        study(text)

    assert complaint in str(caught.value)


def test_a_published_figure_is_of_a_stage_and_of_axes_of_the_study(study: Reader) -> None:
    text = (
        "stages: {only: {stage: train}}\naxes: {depth: [3]}\npublished:\n  - title: theirs\n"
        "    source: a paper\n    test_images: 9\n"
        "    figures: [{name: %s, axes: {%s}, test_top1: [%s]}]\n"
    )

    assert study(text % ("only", "depth: 3", "0.9")).published[0].figures[0].test_top1 == (0.9,)
    with pytest.raises(UsageError, match=r"(?s)name = ony .*'only'.*axes\.dept .*'depth'"):
        study(text % ("ony", "dept: 3", "0.9"))
    with pytest.raises(UsageError, match=r"test_top1\[0\] = 90 "):
        study(text % ("only", "depth: 3", "90"))
    with pytest.raises(UsageError, match=r"axes\.depth = 4  is no value of that axis"):
        study(text % ("only", "depth: 4", "0.9"))


def test_all_mistakes_between_keys_are_named_at_once(study: Reader) -> None:
    with pytest.raises(UsageError, match="3 mistakes"):
        study("parameters: {seed: 1, x: 2}\naxes: {x: [1]}\nstages: {a: {}}")


def test_a_study_that_extends_another_says_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "title: Base\n"
        "seeds: [4, 5]\n"
        "parameters: {net: {kind: small, depth: 8}, epochs: 3, keep: 1}\n"
        "stages:\n"
        "  one: {stage: train, epochs: '${epochs}'}\n"
        "  two: {stage: train, backbone: '${net}', keep: '${keep}'}\n"
    )
    (tmp_path / "own.yaml").write_text(
        f"extends: {tmp_path / 'base.yaml'}\n"
        "parameters: {net: {kind: wide, width: 2}, epochs: 9}\n"
        "stages: {two: {stage: train, backbone: '${net}', seed: 7}}\n"
    )

    study = read_study(str(tmp_path / "own.yaml"))

    assert study.name == "own"
    assert (study.title, study.seeds) == ("Base", (4, 5))
    assert study.parameters == {"net": {"kind": "wide", "width": 2}, "epochs": 9, "keep": 1}
    assert study.stages["one"] == {"stage": "train", "epochs": "${epochs}"}
    assert study.stages["two"] == {"stage": "train", "backbone": "${net}", "seed": 7}
    assert study.folder == "own"


def test_studies_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text(f"extends: {other}\n")
    other.write_text(f"extends: {one}\n")

    with pytest.raises(UsageError, match="circle"):
        read_study(str(one))


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ("epoch: 9", "epoch  is read by no stage of this study; read: none"),
        ("net: {deph: 8}", r"net\.deph  is read by no stage of this study; read: net\.depth"),
    ],
)
def test_a_parameter_that_no_stage_reads_is_a_mistake_of_the_file(
    tmp_path: Path, parameters: str, complaint: str
) -> None:
    (tmp_path / "base.yaml").write_text(
        "parameters: {net: {depth: 8}, epochs: 3}\n"
        "stages: {one: {stage: train, epochs: '${epochs}', depth: '${net.depth}'}}\n"
    )
    (tmp_path / "own.yaml").write_text(
        f"extends: {tmp_path / 'base.yaml'}\nparameters: {{{parameters}}}\n"
    )

    with pytest.raises(UsageError, match=complaint):
        read_study(str(tmp_path / "own.yaml"))


def test_a_scale_reads_parameters_and_may_change_only_what_is_read(study: Reader) -> None:
    text = (
        "parameters: {epochs: 30, quick: 3}\n"
        "scales: {smoke: {epochs: '${quick}'}}\n"
        "stages: {one: {stage: train, epochs: '${epochs}'}}\n"
    )
    assert study(text).scales["smoke"] == {"epochs": "${quick}"}

    with pytest.raises(UsageError, match=r"scales\.smoke\.net\.deph  is read by no stage"):
        study(
            "parameters: {net: {depth: 8}}\n"
            "scales: {smoke: {net.deph: 3}}\n"
            "stages: {one: {stage: train, depth: '${net.depth}'}}\n"
        )


def test_a_stage_that_is_null_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "stages:\n  one: {stage: train}\n  other: {stage: train, seed: 1}\n"
    )
    path = tmp_path / "less.yaml"
    path.write_text(f"extends: {tmp_path / 'base.yaml'}\nstages: {{other: null}}\n")

    assert list(read_study(str(path)).stages) == ["one"]


def test_only_a_stage_that_is_there_can_be_taken_away(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("stages:\n  one: {stage: train}\n")
    path = tmp_path / "less.yaml"
    path.write_text(f"extends: {tmp_path / 'base.yaml'}\nstages: {{oen: null}}\n")

    with pytest.raises(UsageError, match=r"stages\.oen = null .* did you mean 'one'"):
        read_study(str(path))


def test_a_parameter_may_be_read_by_the_stages_of_the_file_that_extends(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("parameters: {extra: 3}\nstages: {one: {stage: train}}\n")
    (tmp_path / "own.yaml").write_text(
        f"extends: {tmp_path / 'base.yaml'}\n"
        "stages: {two: {stage: train, epochs: '${extra}'}}\n"
    )

    assert read_study(str(tmp_path / "own.yaml")).parameters == {"extra": 3}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("axes: {net: [{name: a}, {name: a, b: 1}]}", "axes.net  has two values called a"),
        ("axes: {net: [8, '8']}", "axes.net  has two values called 8"),
        (
            "axes: {net: [8]}\nreference: {nte: '8'}",
            "reference.nte  is no axis; did you mean 'net'",
        ),
        ("axes: {net: [8]}\nreference: {net: '9'}", "reference.net = 9  is no value of this axis"),
        ("axes: {net: [8]}\nscales: {s: {nte: [8]}}", "scales.s.nte  unknown parameter; did you"),
    ],
)
def test_axes_that_cannot_be_told_apart_or_compared_are_refused(
    study: Reader, text: str, complaint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        study(f"{text}\nstages: {{a: {{stage: train}}}}\n")

    assert complaint in str(caught.value)
