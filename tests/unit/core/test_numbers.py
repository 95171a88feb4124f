import pytest

from understudy.core.numbers import Numbers


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        (Numbers(kind="whole", white=255), "whole numbers from 0 to 255"),
        (Numbers(kind="whole", white=65_535), "whole numbers from 0 to 65,535"),
        (Numbers(kind="whole", white=6.5535), "whole numbers, scaled, from 0 to 6.5535"),
        (Numbers(kind="float", white=1), "floats from 0 to 1"),
        (Numbers(kind="float", white=0.1 + 0.2), "floats from 0 to 0.3"),
    ],
)
def test_numbers_are_told_by_kind_and_range(numbers: Numbers, told: str) -> None:
    assert str(numbers) == told
