"""What the command line makes of a study."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.objectives.distill.queue import QueueSettings
from understudy.stages import STAGES
from understudy.stages.distill import DistillSettings
from understudy.studies.configure import made_of, with_words
from understudy.studies.plan import plan
from understudy.studies.study import Study, read_study

Reader = Callable[..., Study]


def test_words_change_parameters_and_nothing_else(study: Reader, chain: str) -> None:
    before = study(chain)

    after = with_words(before, ["backbone.depth=14", "epochs=7"])

    assert after.parameters == {
        **before.parameters,
        "backbone": {"kind": "small", "depth": 14},
        "epochs": 7,
    }
    assert (after.stages, after.seeds, after.name) == (before.stages, before.seeds, before.name)


def test_data_alone_means_its_path(study: Reader, chain: str) -> None:
    assert with_words(study(chain), ["data=a b/c"]).parameters["data"] == {"path": "a b/c"}
    assert with_words(study(chain), ["data={path: x}"]).parameters["data"] == {"path": "x"}


def test_a_separate_pool_stays_beside_the_path(study: Reader, chain: str) -> None:
    changed = with_words(study(chain), ["data=x", "data.unlabeled=y"])

    assert changed.parameters["data"] == {"path": "x", "unlabeled": "y"}


def test_a_kind_alone_is_enough_for_an_entry_of_a_list() -> None:
    words = ["features.terms=[queue]", "pretrain.method=byol"]
    asked = with_words(read_study("few-labels-features-first"), words)

    node = next(node for node in plan(asked, STAGES).nodes if node.name == "features")

    assert DistillSettings.model_validate({**node.settings, "teacher": "t"}).terms == (
        QueueSettings(),
    )


def test_another_kind_drops_the_keys_of_the_old_one(study: Reader, chain: str) -> None:
    changed = with_words(study(chain), ["backbone.width=4", "backbone.kind=wide"])

    assert changed.parameters["backbone"] == {"kind": "wide", "width": 4}


@pytest.mark.parametrize(
    ("word", "seeds"),
    [
        ("seeds=1,2,3", (1, 2, 3)),
        ("seeds=7", (7,)),
        ("seeds=[4, 5]", (4, 5)),
        ("seeds=1, 2", (1, 2)),
    ],
)
def test_seeds_are_values(study: Reader, chain: str, word: str, seeds: tuple[int, ...]) -> None:
    assert with_words(study(chain), [word]).seeds == seeds


@pytest.mark.parametrize(
    "seeds",
    [
        "",
        "1,x",
        "-1",
        "1,1",
        "1.5",
        "[]",
        "{a: 1}",
        "true",
        "1,,2",
        "~",
        "²",
        "99999999999999999999",
    ],
)
def test_seeds_that_are_none_are_refused(study: Reader, chain: str, seeds: str) -> None:
    with pytest.raises(UsageError, match="seeds = "):
        with_words(study(chain), [f"seeds={seeds}"])


def test_what_was_asked_for_goes_over_the_scale(study: Reader, chain: str) -> None:
    small = with_words(study(chain), ["scale=smoke"])
    asked = with_words(study(chain), ["scale=smoke", "epochs=2"])

    assert (small.parameters["epochs"], small.reduced, small.scale) == (1, "One epoch.", "smoke")
    assert (asked.parameters["epochs"], asked.reduced) == (2, "One epoch.")


def test_every_mistake_is_reported_at_once(study: Reader, chain: str) -> None:
    with pytest.raises(UsageError, match="4 mistakes") as caught:
        with_words(study(chain), ["epohcs=3", "studnt.depth=8", "scale=smok", "seeds=one"])

    text = str(caught.value)
    assert "epohcs  unknown parameter; did you mean 'epochs'?" in text
    assert "scale = 'smok'  unknown; did you mean 'smoke'?" in text
    assert "seeds = 'one'" in text


def test_a_key_that_no_stage_reads_is_no_silent_wish(study: Reader) -> None:
    read = study(
        "parameters: {net: {depth: 8}}\nstages: {a: {stage: train, epochs: '${net.depth}'}}"
    )

    with pytest.raises(UsageError, match=r"net\.width  is read by no stage.*net\.depth"):
        with_words(read, ["net.width=2"])


def test_a_key_into_a_single_value_is_refused(study: Reader, chain: str) -> None:
    with pytest.raises(UsageError, match=r"epochs\.many .* a single value"):
        with_words(study(chain), ["epochs.many=3"])


def test_the_folder_has_a_hash_exactly_where_parameters_differ(study: Reader, chain: str) -> None:
    before = study(chain)

    assert before.folder == "trial"
    assert with_words(before, ["epochs=3", "seeds=9"]).folder == "trial"
    assert with_words(before, ["epochs=4"]).folder != with_words(before, ["epochs=5"]).folder
    assert with_words(before, ["epochs=4"]).folder.startswith("trial-")
    assert len(with_words(before, ["scale=smoke"]).folder) == len("trial-") + 8


def test_configuring_twice_is_configuring_once(
    study: Reader, chain: str, stages: Mapping[str, type[Settings]]
) -> None:
    """A budget that was measured becomes parameters of a study that words already changed."""
    first: dict[str, Any] = {"backbone.depth": 14, "scale": "smoke"}
    once = made_of(study(chain), {**first, "epochs": 5}).study
    twice = made_of(made_of(study(chain), first).study, {"epochs": 5}).study

    assert once == twice
    assert plan(once, stages).nodes == plan(twice, stages).nodes


def test_what_to_compute_with_reaches_every_stage_and_changes_no_run(
    study: Reader, chain: str, stages: Mapping[str, type[Settings]]
) -> None:
    text = chain.replace("stage: train,", "stage: train, machine: {threads: 2},")
    before, after = study(text), with_words(study(text), ["machine.device=cpu"])

    machines = [
        node.settings["machine"] for node in plan(after, stages).nodes if node.stage == "train"
    ]
    assert machines
    assert all(machine == {"threads": 2, "device": "cpu"} for machine in machines)
    assert after.folder == before.folder
    assert [n.key for n in plan(after, stages).nodes] == [n.key for n in plan(before, stages).nodes]


def test_a_wrong_machine_is_told_as_it_was_written(
    study: Reader, chain: str, stages: Mapping[str, type[Settings]]
) -> None:
    with pytest.raises(UsageError, match=r"trial.yaml: 1 mistake\n  machine\.device = 'tpu'  must"):
        plan(with_words(study(chain), ["machine.device=tpu"]), stages)


def test_what_was_changed_is_known_as_deep_as_it_lies(study: Reader, chain: str) -> None:
    assert study(chain).changed == {}
    assert with_words(study(chain), ["backbone.depth=14", "epochs=3"]).changed == {
        "backbone.depth": 14
    }


@pytest.mark.parametrize("value", ["true", "null", "", "3", "[]", "cpu"])
def test_a_machine_that_is_no_mapping_is_refused(study: Reader, chain: str, value: str) -> None:
    with pytest.raises(UsageError, match=r"machine = .* must be a mapping of keys"):
        with_words(study(chain), [f"machine={value}"])


AXES = """
axes:
  objective: [{name: soft, t: 4}, {name: hard, t: 1}, {name: dist, t: 2}]
  epochs: [1, 2]
scales:
  large: {objective: [dist, {name: other, t: 9}], seeds: [7, 8]}
stages:
  a: {stage: train, epochs: '${epochs}'}
  b: {stage: distill, teacher: '@a', temperature: '${objective.t}'}
"""


def names(found: Study) -> list[str]:
    return [value["name"] for value in found.axes["objective"]]


@pytest.mark.parametrize("word", ["objective=dist,soft", "objective=[dist, soft]"])
def test_values_of_an_axis_are_picked_by_their_names(study: Reader, word: str) -> None:
    picked = with_words(study(AXES), [word, "epochs=2"])

    assert names(picked) == ["dist", "soft"]
    assert picked.axes["epochs"] == (2,)
    assert picked.changed == {"objective": ["dist", "soft"], "epochs": ["2"]}
    assert picked.folder not in (study(AXES).folder, with_words(study(AXES), ["epochs=2"]).folder)


def test_a_scale_may_have_seeds_and_other_values_of_an_axis(study: Reader) -> None:
    large = with_words(study(AXES), ["scale=large"])
    asked = with_words(study(AXES), ["scale=large", "seeds=1", "objective=hard"])

    assert (names(large), large.seeds) == (["dist", "other"], (7, 8))
    assert (names(asked), asked.seeds) == (["hard"], (1,))


def test_plain_values_of_an_axis_may_be_others(study: Reader) -> None:
    assert with_words(study(AXES), ["epochs=[2, 5]"]).axes["epochs"] == (2, 5)


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("objective=dis", "objective = 'dis'  is no value of this axis; did you mean 'dist'?"),
        ("objective=4", "objective = 4  is no value of this axis"),
        ("objective=soft,soft", "must be one value or several, each once"),
        ("objective=[]", "must be one value or several, each once"),
        ("epochs={a: 1}", "is no value of this axis"),
        ("epochs=", "is no value of this axis"),
    ],
)
def test_what_is_no_value_of_an_axis_is_refused(study: Reader, word: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_words(study(AXES), [word])

    assert complaint in str(caught.value)
