"""Independent streams from one seed."""

from hypothesis import given
from hypothesis import strategies as st

from understudy.core.seeds import derived_seed


def test_a_seed_is_the_same_in_every_version() -> None:
    """Changing these changes every number that anyone has published."""
    assert derived_seed(0, "initialisation") == 7468651415672199707
    assert derived_seed(1, "order") == 8307011275362835592


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.text(), st.text())
def test_other_roots_and_other_names_give_other_seeds(
    root: int, other: int, name: str, another: str
) -> None:
    assert (derived_seed(root, name) == derived_seed(other, another)) == (
        (root, name) == (other, another)
    )


@given(st.integers(0, 2**63 - 1), st.text())
def test_a_seed_fits_every_generator(root: int, name: str) -> None:
    assert 0 <= derived_seed(root, name) < 2**63


def test_neighbouring_roots_share_no_pattern() -> None:
    """Half of the bits differ, on average, between the seeds of neighbouring roots."""
    pairs = [(derived_seed(root, "views"), derived_seed(root + 1, "views")) for root in range(1000)]

    differing = sum((first ^ second).bit_count() for first, second in pairs) / (63 * len(pairs))

    assert 0.49 < differing < 0.51
