"""Pretraining with whole views and small crops, on real digits."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.stage.conftest import Launcher

from understudy.core.errors import UsageError
from understudy.stages.launch import Launched

SHADES = {"kind": "color_jitter", "brightness": 0.4, "contrast": 0.4, "saturation": 0, "hue": 0}
WHOLE = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}, SHADES]}
SMALL = {"transforms": [{"kind": "random_resized_crop", "scale": [0.2, 0.5]}, SHADES], "size": 6}
METHODS: dict[str, dict[str, Any]] = {
    "swav": {
        "projector": {"hidden": 64, "out": 32, "normed": "inner"},
        "terms": [{"kind": "swapped_assignment", "prototypes": 100, "epsilon": 0.02}],
    },
    "dino": {
        "projector": {"hidden": 64, "out": 32, "layers": 3, "normed": "inner", "prototypes": 100},
        "momentum": 0.9,  # a hundred steps are few
        "final_momentum": 0.9,
    },
}


def neighbours(launched: Launched) -> float:
    """The k-NN accuracy that was seen last."""
    lines = (launched.run.path / "metrics.jsonl").read_text().splitlines()
    return float([each["knn_top1"] for each in map(json.loads, lines) if "knn_top1" in each][-1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", METHODS)
def test_the_neighbours_of_its_features_are_more_alike_than_those_of_an_untrained_network(
    kind: str, go: Launcher, tmp_path: Path
) -> None:
    def after(steps: int, rate: float) -> float:
        done = go(
            "pretrain",
            root=tmp_path,
            method={"kind": kind, **METHODS[kind]},
            views=[WHOLE, WHOLE, SMALL],
            labels={"per_class": 20, "validation_per_class": 14},
            plan={
                "steps": steps,
                "batch_size": 128,
                "observations": 1,
                "optimizer": {"kind": "adamw", "learning_rate": rate},
            },
        )
        return neighbours(done)

    trained, untrained = after(100, 3e-3), after(1, 1e-9)

    assert trained > untrained + 0.05


def test_a_view_of_a_size_that_the_backbone_cannot_take_is_refused(go: Launcher) -> None:
    transformer = {
        "kind": "timm",
        "name": "vit_tiny_patch16_224",
        "options": {"img_size": 8, "patch_size": 4, "embed_dim": 24, "depth": 1, "num_heads": 2},
    }

    with pytest.raises(UsageError, match=r"views\[2\]\.size is 6.*cannot take.*convolutional"):
        go("pretrain", name="refused", backbone=transformer, views=[WHOLE, WHOLE, SMALL])


def test_too_few_views_for_those_that_are_assigned_are_refused(go: Launcher) -> None:
    with pytest.raises(UsageError, match=r"has 2 of the 3 views"):
        go(
            "pretrain",
            name="refused",
            method={"kind": "swav", "terms": [{"kind": "swapped_assignment", "global_views": 3}]},
            views=[WHOLE, WHOLE],
        )
