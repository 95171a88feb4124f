"""What the peers' code got wrong and a whole training must get right."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tests.packs import open_pack
from torch import Tensor

from understudy.data.sources.digits import DigitsSettings
from understudy.data.splits import SplitSettings, split
from understudy.methods.momentum import Momentum, momentum_at
from understudy.models.average import Average
from understudy.stages.launch import Launched

Launcher = Callable[..., Launched]
CROP = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}
SMALL = {"hidden": 16, "out": 8}


def settings(kind: str, **method: Any) -> dict[str, Any]:
    return {
        "method": {"kind": kind, "projector": SMALL, **method},
        "views": [CROP, CROP],
        "plan": {"steps": 6, "batch_size": 16, "observations": 1},
    }


@pytest.mark.parametrize(
    ("kind", "method", "start", "end"),
    [
        ("byol", {}, 0.99, 1.0),
        ("dino", {"projector": {**SMALL, "prototypes": 20}}, 0.99, 1.0),
        ("moco", {"terms": [{"kind": "info_nce", "queue": 64}]}, 0.99, 0.99),
    ],
)
def test_a_momentum_moves_with_the_share_of_the_steps_that_is_done(
    go: Launcher,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    method: dict[str, Any],
    start: float,
    end: float,
) -> None:
    """Once after each optimizer step, and by half a cosine over all of them."""
    kept: list[float] = []
    update = Average.update

    def noted(self: Average, decay: float | Tensor) -> None:
        kept.append(float(decay))
        update(self, decay)

    monkeypatch.setattr(Average, "update", noted)
    if kind == "moco":
        method = {**method, "projector": {**SMALL, "normed": "none"}}

    go("pretrain", root=tmp_path, **settings(kind, **method))

    expected = [momentum_at(step / 6, start=start, end=end) for step in range(6)]
    assert kept == pytest.approx(expected, abs=1e-6)


def test_no_image_of_validation_or_test_is_ever_learned_from(
    go: Launcher, tmp_path: Any, shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    forward = Momentum.forward

    def noted(self: Momentum, batch: Any, guidance: Any) -> Any:
        seen.append(batch.index.clone())
        return forward(self, batch, guidance)

    monkeypatch.setattr(Momentum, "forward", noted)
    asked = settings("byol")
    asked["plan"] = {**asked["plan"], "steps": 20, "batch_size": 128}

    go("pretrain", root=tmp_path, **asked)

    splits = split(open_pack(DigitsSettings(), shared=shared), SplitSettings())
    shown = np.unique(torch.cat(seen).numpy())
    assert set(shown) == set(splits.train)  # all of them: 20 x 128 images are an epoch and more
    assert not np.isin(shown, [*splits.val, *splits.test]).any()
