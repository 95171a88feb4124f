import pytest
import torch

from understudy.core.types import Outputs
from understudy.objectives.reading import given, mean, paired, precise


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_is_widened_and_double_kept(
    dtype: torch.dtype, expected: torch.dtype
) -> None:
    assert precise(torch.ones(3, dtype=dtype)).dtype == expected


def test_views_are_paired_one_to_one() -> None:
    views = (Outputs(), Outputs())

    assert len(paired(views, views)) == 2
    with pytest.raises(ValueError, match="shorter"):
        paired(views, views[:1])


def test_what_was_promised_and_is_not_there_is_a_programming_error() -> None:
    with pytest.raises(AssertionError, match="tap"):
        given(None)
    with pytest.raises(AssertionError, match="teacher"):
        paired((Outputs(),), None)


def test_the_mean_is_over_views() -> None:
    assert mean([torch.tensor(1.0), torch.tensor(4.0)]).item() == 2.5
