import numpy as np

from understudy.data.order import Order


def elements(order: Order, steps: range) -> list[tuple[int, int]]:
    places = [order.at(step) for step in steps]
    return [
        (int(rank), int(epoch))
        for place in places
        for rank, epoch in zip(place.ranks, place.epochs, strict=True)
    ]


def test_every_epoch_holds_every_image_once() -> None:
    order = Order(count=10, batch_size=4, seed=1)

    seen = elements(order, range(15))

    for epoch in range(6):
        assert [e for _, e in seen[10 * epoch : 10 * epoch + 10]] == [epoch] * 10
        assert sorted(rank for rank, _ in seen[10 * epoch : 10 * epoch + 10]) == list(range(10))


def test_the_elements_do_not_depend_on_the_batch_size() -> None:
    small, large = Order(count=7, batch_size=2, seed=1), Order(count=7, batch_size=21, seed=1)

    assert elements(small, range(21)) == elements(large, range(2))


def test_a_step_does_not_depend_on_the_steps_before() -> None:
    walked, jumped = Order(count=9, batch_size=4, seed=1), Order(count=9, batch_size=4, seed=1)

    for step in range(10):
        there = walked.at(step)

    here = jumped.at(9)
    assert np.array_equal(there.ranks, here.ranks)
    assert np.array_equal(there.epochs, here.epochs)


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = [
        Order(count=50, batch_size=50, seed=seed).at(step) for seed in (1, 2) for step in (0, 1)
    ]

    assert len({tuple(order.ranks) for order in orders}) == 4


def test_a_batch_larger_than_the_set_holds_several_epochs() -> None:
    places = Order(count=3, batch_size=8, seed=1).at(0)

    assert places.epochs.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert sorted(places.ranks[:3]) == sorted(places.ranks[3:6]) == [0, 1, 2]


def test_the_order_is_pinned_because_a_resume_relies_on_it() -> None:
    places = Order(count=8, batch_size=8, seed=1).at(2)

    assert places.ranks.tolist() == [2, 1, 0, 3, 6, 4, 7, 5]
