import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from understudy.data.shuffle import shuffled


@given(st.integers(0, 200), st.integers(0, 2**63), st.text(max_size=5))
def test_no_value_is_lost_or_doubled(count: int, seed: int, purpose: str) -> None:
    values = np.arange(count) * 3

    assert sorted(shuffled(values, seed=seed, purpose=purpose)) == values.tolist()


def test_the_order_is_pinned_for_all_machines_and_versions() -> None:
    order = shuffled(np.arange(8), seed=0, purpose="order")

    assert order.tolist() == [0, 6, 2, 3, 5, 4, 1, 7]


def test_seeds_and_purposes_give_independent_orders() -> None:
    values = np.arange(1_000)
    orders = [
        shuffled(values, seed=seed, purpose=purpose) for seed in (0, 1) for purpose in ("a", "b")
    ]

    correlations = np.asarray(np.corrcoef(orders))[np.triu_indices(4, k=1)]
    assert np.abs(correlations).max() < 0.15  # standard deviation 1/sqrt(1000) = 0.03


def test_every_place_is_equally_likely() -> None:
    firsts = [shuffled(np.arange(4), seed=seed, purpose="x")[0] for seed in range(4_000)]

    # 1,000 each expected, standard deviation 27; five of them.
    assert np.abs(np.bincount(firsts, minlength=4) - 1_000).max() < 137
