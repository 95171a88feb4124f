import pytest
import torch
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.multi_level import MultiLevelSettings, level_distances


def test_views_and_temperatures_are_averaged_and_levels_have_their_factors(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(2, 4, 5), torch.randn(2, 4, 5)
    settings = MultiLevelSettings(temperatures=(1, 3), batch_factor=0.5, class_factor=7)

    found = settings.build(student, teacher, torch.arange(4))(
        tuple(Outputs(logits=logits) for logits in learnt),
        tuple(Outputs(logits=logits) for logits in taught),
        targets,
    )

    pairs = list(zip(learnt, taught, strict=True))
    each = [level_distances(*pair, temperature) for pair in pairs for temperature in (1.0, 3.0)]
    instance, batch, classes = torch.tensor(each).mean(dim=0)
    assert_close(found, {"instance": instance, "batch": 0.5 * batch, "classes": 7 * classes})


def test_autocast_does_not_reach_the_products() -> None:
    student, teacher = torch.randn(2, 16, 8)
    expected = level_distances(student, teacher, 2.0)

    with torch.autocast("cpu", torch.bfloat16):
        found = level_distances(student, teacher, 2.0)

    assert_close(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("temperatures", [[], [2, 0], [-1], 4])
def test_temperatures_out_of_bounds_are_refused(temperatures: object) -> None:
    with pytest.raises(UsageError, match="temperatures"):
        checked(MultiLevelSettings, {"temperatures": temperatures}, origin="here")


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_one_temperature_out_of_bounds_is_refused(temperature: float) -> None:
    with pytest.raises(UsageError, match=r"temperatures\[1\].*(above|greater)"):
        checked(MultiLevelSettings, {"temperatures": [2.0, temperature]}, origin="here")
