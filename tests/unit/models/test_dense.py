import pytest
import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.models.dense import HeadSettings


def test_layers_are_linear_with_an_activation_and_dropout_behind_each() -> None:
    head = HeadSettings(widths=(1024, 512, 256), activation="elu", dropout=(0.25, 0.25, 0.0))

    dense = head.build(64)

    kinds = [type(each) for each in dense.layers]
    assert kinds == [nn.Linear, nn.ELU, nn.Dropout] * 3
    linear = [each for each in dense.layers if isinstance(each, nn.Linear)]
    assert [(each.in_features, each.out_features) for each in linear] == [
        (64, 1024),
        (1024, 512),
        (512, 256),
    ]
    assert [each.p for each in dense.layers if isinstance(each, nn.Dropout)] == [0.25, 0.25, 0.0]
    assert dense.out == 256


def test_without_layers_the_features_themselves_are_left_out_now_and_then() -> None:
    dense = HeadSettings(dropout=0.5).build(1000)
    features = torch.ones(4, 1000)

    shown = dense(features)

    assert dense.out == 1000
    assert 0.4 < float((shown == 0).float().mean()) < 0.6
    assert_close(dense.eval()(features), features)


def test_a_head_of_nothing_is_a_linear_classifier() -> None:
    assert HeadSettings().is_linear
    assert not HeadSettings(dropout=0.1).is_linear
    assert not HeadSettings(widths=(8,)).is_linear


@pytest.mark.parametrize("widths", [[], [8], [8, 8, 8]])
def test_other_numbers_of_shares_than_of_layers_are_refused(widths: list[int]) -> None:
    with pytest.raises(UsageError, match=f"2 shares, and `widths` {len(widths)};"):
        checked(HeadSettings, {"widths": widths, "dropout": [0.1, 0.2]}, origin="here")
