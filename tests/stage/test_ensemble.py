"""An ensemble is a run like any other: made, evaluated, exported, asked, distilled."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax
from tests.stage.conftest import Launcher

from understudy.core.errors import UsageError
from understudy.stages.launch import Launched


@pytest.fixture(scope="module")
def members(go: Launcher) -> list[Launched]:
    return [go("train", name=f"member-{seed}", seed=seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def together(go: Launcher, members: list[Launched]) -> Launched:
    return go("ensemble", members=[str(member.run.path) for member in members])


def places(*launched: Launched) -> list[str]:
    return [str(each.run.path) for each in launched]


def test_it_answers_with_the_mean_of_its_members_probabilities(
    go: Launcher, members: list[Launched], together: Launched
) -> None:
    looked = go("evaluate", models=places(*members, together), on="val")

    def answers(launched: Launched, slot: str) -> Any:
        table = pq.read_table(
            looked.run.path / "predictions" / f"{launched.run.path.name}-{slot}.parquet"
        )
        return softmax(np.array(table["logits"].to_pylist()), axis=1)

    mean = np.mean([answers(member, "best") for member in members], axis=0)
    np.testing.assert_allclose(answers(together, "last"), mean, atol=1e-6)
    told = {each["identity"]: each["disagreement"] for each in looked.summary["evaluations"]}
    named = [answers(member, "best").argmax(axis=1) for member in members]
    apart = np.mean([(a != b).mean() for a, b in combinations(named, 2)])
    assert told[together.summary["identity"]] == pytest.approx(apart)
    assert told[members[0].summary["identity"]] is None


def test_it_tells_what_its_members_say_on_the_labels_that_they_have_read(
    members: list[Launched], together: Launched
) -> None:
    summary = together.summary

    seen = summary["checkpoints"]["last"]
    assert len(summary["members"]) == 3
    assert 0 <= seen["val_top1"] <= 1
    assert 0 < summary["disagreement"] < 1
    assert summary["steps"] == 0
    assert summary["parameters"] == 3 * members[0].summary["parameters"]
    kept = [
        set(json.loads((member.run.path / "data/labels.json").read_text())["train"])
        for member in members
    ]
    assert summary["labels"]["train"] == len(set.union(*kept)) > len(kept[0])


def test_it_teaches(go: Launcher, together: Launched) -> None:
    student = go("distill", teacher=str(together.run.path))

    assert student.summary["parents"]["teacher"]["identity"] == together.summary["identity"]
    assert student.summary["labels"]["train"] == together.summary["labels"]["train"]


def test_it_is_exported_as_one_file(go: Launcher, together: Launched) -> None:
    exported = go("export", model=str(together.run.path))

    assert exported.summary["parity"]["agreement"] == 1


def test_an_objective_that_needs_features_is_refused(go: Launcher, together: Launched) -> None:
    with pytest.raises(UsageError, match=r"'regression' needs a teacher with pooled features"):
        go("distill", teacher=str(together.run.path), terms=[{"kind": "regression"}])


def test_an_ensemble_is_no_member_and_no_start(
    go: Launcher, members: list[Launched], together: Launched
) -> None:
    with pytest.raises(UsageError, match="is an ensemble"):
        go("ensemble", members=places(members[0], together))
    with pytest.raises(UsageError, match="is an ensemble"):
        go("finetune", start=str(together.run.path))


def test_a_member_that_is_there_twice_is_refused(go: Launcher, members: list[Launched]) -> None:
    with pytest.raises(UsageError, match=r"is named twice\. Set `weights`"):
        go("ensemble", members=places(members[0], members[1], members[0]))


def test_weights_are_one_for_each_member(go: Launcher, members: list[Launched]) -> None:
    with pytest.raises(UsageError, match="2 given for 3 members"):
        go("ensemble", members=places(*members), weights=[1, 2])


def test_members_of_another_split_are_refused(
    go: Launcher, members: list[Launched], tmp_path: Path
) -> None:
    other = go("train", root=tmp_path, split={"seed": 5})

    with pytest.raises(UsageError, match=r"split  members\[1\] was trained with"):
        go("ensemble", members=places(members[0], other))
