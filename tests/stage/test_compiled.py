"""Trainings that compile, one after the other in one process."""

import pytest
from tests.stage.conftest import Launcher

from understudy.stages.launch import Launched


@pytest.mark.slow
def test_a_teacher_answers_what_this_training_asks_and_not_the_one_before(
    go: Launcher, teacher: Launched
) -> None:
    """Sets of taps that came to lie at the same place in memory were one to the compiler."""
    for kind in ("attention", "probability"):
        done = go(
            "distill",
            name=f"compiled-{kind}",
            teacher=str(teacher.run.path),
            terms=[{"kind": "label"}, {"kind": kind}],
            plan={"steps": 2, "batch_size": 32},
            machine={
                "device": "cpu",
                "precision": "fp32",
                "memory_format": "contiguous",
                "compile": "always",
            },
        )
        assert done.summary["precision"] == "fp32 contiguous compiled"
