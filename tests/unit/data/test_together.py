import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from understudy.data.together import joined, numbered


def test_groups_are_numbered_and_none_is_minus_one() -> None:
    assert numbered(["b", "", "a", "b"]).tolist() == [0, -1, 1, 0]


def test_without_groups_only_identical_images_stay_together() -> None:
    identical = np.array([2, 0, 2, 1])

    assert joined(identical, np.full(4, -1)).tolist() == [2, 0, 2, 1]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(-1, 8)), min_size=1, max_size=40))
def test_images_are_joined_exactly_by_chains_of_copies_and_groups(
    images: list[tuple[int, int]],
) -> None:
    identical = np.unique([copy for copy, _ in images], return_inverse=True)[1].astype(np.int64)
    groups = np.array([group for _, group in images])

    numbers = joined(identical, groups)

    # The definition, by the square: reach grows until nothing new is reached.
    reach = (identical[:, None] == identical) | ((groups[:, None] == groups) & (groups >= 0))
    for _ in images:
        reach = reach @ reach
    np.testing.assert_array_equal(numbers[:, None] == numbers, reach)
