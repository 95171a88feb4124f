"""How many workers pay."""

from collections.abc import Callable
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.studies.executors.paying import PAYS, ROUNDS, Bound, Choice, Trial, chosen, gain

KINDS = ("teacher", "student", "wide")
COST = {"teacher": 1.0, "student": 20.0, "wide": 0.3}


def bound(workers: int) -> Bound:
    return Bound(workers, f"there are {workers}")


def settled(
    throughput: Callable[[int], float],
    most: int,
    kinds: tuple[str, ...] = KINDS,
    rounds: int = 1000,
) -> tuple[Choice, list[Trial]]:
    """Goes on as a pool would: rounds of so many runs as are wanted, until the number stays."""
    trials: list[Trial] = []
    order = cycle(kinds)
    for _ in range(rounds):
        choice = chosen(trials, bound(most))
        if choice.told:
            break
        count = choice.workers
        speed = throughput(count) / count
        trials += [
            Trial(kind, count, speed * COST[kind])
            for kind, _ in zip(order, range(count), strict=False)
        ]
    return choice, trials


def perfect(workers: int) -> float:
    return float(workers)


def test_nothing_measured_is_one_worker() -> None:
    assert chosen([], bound(8)) == Choice(1)


def test_where_there_can_be_but_one_nothing_is_measured() -> None:
    assert chosen([], bound(1)) == Choice(1, "1 worker: there are 1")


@given(most=st.integers(1, 64))
def test_runs_that_do_not_slow_each_other_down_end_at_the_most(most: int) -> None:
    choice, trials = settled(perfect, most)

    assert most / PAYS < choice.workers <= most
    assert len(trials) <= 3 * ROUNDS * 2 * most


def test_what_could_not_pay_is_not_tried() -> None:
    """Of 17 workers, the last can add no tenth."""
    choice, trials = settled(perfect, 17)

    assert max(trial.workers for trial in trials) == choice.workers == 16


@given(most=st.integers(1, 64))
def test_a_machine_that_one_fills_keeps_one(most: int) -> None:
    choice, _ = settled(lambda _: 1.0, most)

    assert choice.workers == 1


@given(most=st.integers(1, 64), full=st.integers(1, 64))
def test_it_stops_where_more_do_no_more(most: int, full: int) -> None:
    """With the throughput of a machine that `full` workers fill, it takes as many, or nearly."""
    choice, trials = settled(lambda workers: float(min(workers, full)), most)
    reached = min(most, full)

    assert reached / PAYS <= choice.workers < 2 * reached + 1
    assert max(trial.workers for trial in trials) <= most if trials else most == 1


@given(
    trials=st.lists(
        st.builds(
            Trial,
            st.sampled_from(KINDS),
            st.sampled_from([1, 2, 3, 4, 6, 8]),
            st.floats(1e-3, 1e6),
        )
    ),
    most=st.integers(1, 9),
    factor=st.floats(1e-3, 1e3),
    order=st.randoms(),
)
def test_any_measurements_give_an_allowed_number(
    trials: list[Trial], most: int, factor: float, order: object
) -> None:
    """Never above the bound; whatever their order, and whatever an image is counted in."""
    choice = chosen(trials, bound(most))
    shuffled = list(trials)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    scaled = [trial._replace(speed=trial.speed * factor) for trial in shuffled]

    assert 1 <= choice.workers <= most
    assert chosen(shuffled, bound(most)).workers == choice.workers
    for few, many in ((1, 2), (2, 4)):
        one, other = gain(trials, few, many), gain(scaled, few, many)
        assert (one is None) == (other is None)
        assert one == pytest.approx(other)


@pytest.mark.parametrize(
    ("speed", "workers"), [(0.5 * PAYS + 0.001, 2), (0.5 * PAYS - 0.001, 1)], ids=["pays", "not"]
)
def test_the_edge_is_where_it_is_said_to_be(speed: float, workers: int) -> None:
    trials = [Trial("a", 1, 1.0), Trial("a", 2, speed), Trial("a", 2, speed)]

    assert chosen(trials, bound(2)).workers == workers


def test_runs_are_compared_with_their_own_kind_alone() -> None:
    """A fast network measured beside others says nothing of a slow one that was alone."""
    slow_alone = [Trial("teacher", 1, 1.0)]
    fast_beside = [Trial("student", 2, 100.0)] * 2

    assert gain([*slow_alone, *fast_beside], 1, 2) is None
    both = [*slow_alone, *fast_beside, *[Trial("teacher", 2, 0.5)] * 2]
    assert gain(both, 1, 2) == pytest.approx(1.0)


def test_nothing_is_decided_by_less_than_one_round() -> None:
    trials = [Trial("a", 1, 1.0), Trial("a", 2, 1.0)]

    assert gain(trials, 1, 2) is None
    assert chosen(trials, bound(2)) == Choice(2)


def test_what_has_no_like_is_not_measured_for_ever() -> None:
    """Each run of another kind: both numbers have their turns, then one is enough."""
    trials: list[Trial] = []
    for number in range(100):
        choice = chosen(trials, bound(2))
        if choice.told:
            break
        trials.append(Trial(str(number), choice.workers, 1.0))

    assert choice == Choice(1, "1 worker: too few runs with 2 were like one with 1")
    assert len(trials) <= 3 * ROUNDS + 1


def test_one_line_says_what_was_found() -> None:
    assert settled(lambda k: min(k, 2) * 0.9, most=8)[0].told.startswith("2 workers: 2.00 times")
    choice, _ = settled(perfect, most=2)
    assert choice.told == "2 workers: 2.00 times the runs of 1; there are 2"
    choice, _ = settled(lambda _: 1.0, most=2)
    assert choice.told == "1 worker: 2 do 1.00 times as many"
