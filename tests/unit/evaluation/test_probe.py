import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from understudy.core.errors import DataError, UsageError
from understudy.core.settings import checked
from understudy.evaluation.probe import Features, ProbeSettings, linear_probe


def noisy(seed: int, *, images: int, noise: float) -> Features:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, images)
    values = 40 + 1000 * (np.eye(3, 10)[labels] + noise * random.normal(size=(images, 10)))
    return Features(values.astype(np.float32), labels)


def test_separable_features_are_told_apart_whatever_their_scale() -> None:
    train, validation, test = (noisy(seed, images=90, noise=0.1) for seed in range(3))

    found = linear_probe(train, validation, test, settings=ProbeSettings())

    assert found.test == found.validation == 1
    as_good = [strength for strength, share in found.tried if share == 1]
    assert found.strength == min(as_good) < max(as_good)


def test_validation_chooses_and_the_choice_is_reported() -> None:
    train, validation, test = (noisy(seed, images=60, noise=0.8) for seed in range(3))

    found = linear_probe(train, validation, test, settings=ProbeSettings())

    scaler = StandardScaler().fit(train.values)
    shares = []
    for strength, share in found.tried:
        oracle = LogisticRegression(C=strength, max_iter=1000)
        oracle.fit(scaler.transform(train.values), train.labels)
        shares.append(oracle.score(scaler.transform(validation.values), validation.labels))
        assert share == shares[-1]
    assert len(set(shares)) > 1
    assert found.validation == max(shares)
    assert found.strength == found.tried[int(np.argmax(shares))][0]


def test_labels_of_one_class_cannot_be_probed() -> None:
    train = Features(np.zeros((4, 2), dtype=np.float32), np.full(4, 2))

    with pytest.raises(DataError, match=r"found classes \[2\]"):
        linear_probe(train, train, train, settings=ProbeSettings())


@pytest.mark.parametrize("strengths", [[], [1.0, 0.1], [1.0, 1.0], [0.0]])
def test_strengths_that_make_no_rising_grid_are_refused(strengths: list[float]) -> None:
    with pytest.raises(UsageError, match="strengths"):
        checked(ProbeSettings, {"strengths": strengths}, origin="command line")


def test_a_class_without_a_label_is_never_named_and_the_others_are() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(8).repeat(20)
    values = (np.eye(8)[labels] + 0.01 * random.normal(size=(160, 8))).astype(np.float32)
    everything = Features(values, labels)
    known = Features(values[labels != 3], labels[labels != 3])

    found = linear_probe(known, known, everything, settings=ProbeSettings(), num_classes=8)

    assert found.validation == 1
    assert found.test == 7 / 8
    assert found.test_top5 == 7 / 8


def test_two_classes_are_told_apart_as_scikit_learn_does() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 90)
    values = (labels[:, None] + random.normal(size=(90, 4))).astype(np.float32)
    train, test = Features(values[:60], labels[:60]), Features(values[60:], labels[60:])

    found = linear_probe(train, test, test, settings=ProbeSettings(strengths=(1.0,)))

    scaler = StandardScaler().fit(train.values)
    oracle = LogisticRegression(C=1.0).fit(scaler.transform(train.values), train.labels)
    assert found.test == oracle.score(scaler.transform(test.values), test.labels)
    assert found.test_top5 is None


def test_the_test_labels_change_the_score_and_nothing_else() -> None:
    train, validation, test = (noisy(seed, images=60, noise=0.8) for seed in range(3))

    found = linear_probe(train, validation, test, settings=ProbeSettings())
    lied = test._replace(labels=(test.labels + 1) % 3)
    other = linear_probe(train, validation, lied, settings=ProbeSettings())

    assert found.test != other.test
    assert found._replace(test=0) == other._replace(test=0)


def test_a_solver_that_was_stopped_says_so() -> None:
    train, validation, test = (noisy(seed, images=60, noise=0.8) for seed in range(3))

    found = [
        linear_probe(train, validation, test, settings=ProbeSettings(iterations=number)).converged
        for number in (1, 1000)
    ]

    assert found == [False, True]


def test_without_validation_labels_nothing_can_be_chosen() -> None:
    train = noisy(0, images=60, noise=0.1)
    none = Features(train.values[:0], train.labels[:0])

    with pytest.raises(DataError, match="validation"):
        linear_probe(train, none, train, settings=ProbeSettings())
