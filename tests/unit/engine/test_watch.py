from understudy.engine.watch import Observation, Watch


def scored(score: float | None) -> Observation:
    return Observation(values={}, score=score)


def test_the_earlier_of_two_equal_scores_is_the_best() -> None:
    watch = Watch(patience=None)

    verdicts = [watch.sees(scored(score), step=step) for step, score in enumerate((0.5, 0.7, 0.7))]

    assert verdicts == [True, True, False]
    assert watch.best_step == 1


def test_a_score_that_is_not_a_number_is_never_the_best() -> None:
    watch = Watch(patience=None)

    assert not watch.sees(scored(float("nan")), step=1)
    assert watch.sees(scored(0.1), step=2)
    assert not watch.sees(scored(float("nan")), step=3)
    assert watch.best_step == 2


def test_patience_counts_observations_since_the_best() -> None:
    watch = Watch(patience=2)
    for step, score in enumerate((0.5, 0.4, 0.6, 0.5)):
        watch.sees(scored(score), step=step)
    before = watch.is_over
    watch.sees(scored(0.6), step=5)

    assert (before, watch.is_over) == (False, True)


def test_where_nothing_decides_patience_never_runs_out() -> None:
    watch = Watch(patience=1)

    for step in range(5):
        watch.sees(scored(None), step=step)

    assert not watch.is_over


def test_a_restored_watch_goes_on_as_the_first() -> None:
    first, second = Watch(patience=3), Watch(patience=3)
    first.sees(scored(0.5), step=1)
    first.sees(scored(0.4), step=2)

    second.restore(first.state())

    assert second.state() == first.state()
    assert not second.sees(scored(0.5), step=3)
