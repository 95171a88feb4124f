from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.packs import open_pack

from understudy.core.errors import DataError, UsageError
from understudy.core.settings import checked
from understudy.data.fingerprint import fingerprint, fingerprints_of
from understudy.data.pack import Pack
from understudy.data.sources.digits import DigitsSettings
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.listing import SourceSettings
from understudy.data.splits import Splits, SplitSettings, split

DATA = Path(__file__).parents[4] / "shared" / "data"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def pack_of(
    images: Sequence[tuple[str, str, int]],
    classes: Sequence[str] | None = None,
    groups: Sequence[str] = (),
) -> Pack:
    """A pack of one-pixel images, each (given split, class name or "", pixel)."""
    names = sorted({name for _, name, _ in images if name}) if classes is None else list(classes)
    pixels = np.array([value for *_, value in images], dtype=np.uint32).view(np.uint8)
    rows = pixels.reshape(-1, 1, 2, 2)
    return Pack(
        images=rows,
        names=tuple(f"{given}/{name}/{i}" for i, (given, name, _) in enumerate(images)),
        labels=np.array([names.index(name) if name else -1 for _, name, _ in images]),
        given=tuple(given for given, *_ in images),
        classes=tuple(names),
        key="key",
        skipped={},
        fingerprints=fingerprints_of([fingerprint(row) for row in rows]),
        groups=tuple(groups),
    )


def different(given: str, counts: dict[str, int], start: int = 0) -> list[tuple[str, str, int]]:
    """Images that all differ: `counts` of each class."""
    names = [name for name, count in counts.items() for _ in range(count)]
    return [(given, name, start + number) for number, name in enumerate(names)]


def per_class(pack: Pack, indices: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Counter[str]:
    return Counter(pack.classes[label] for label in pack.labels[indices])


def test_a_set_without_splits_is_split_in_proportion() -> None:
    pack = pack_of(different("", {"a": 100, "b": 50, "c": 10}))

    splits = split(pack, SplitSettings(validation=0.25, test=0.2))

    assert per_class(pack, splits.test) == {"a": 20, "b": 10, "c": 2}
    assert per_class(pack, splits.val) == {"a": 20, "b": 10, "c": 2}
    assert per_class(pack, splits.train) == {"a": 60, "b": 30, "c": 6}
    assert not len(splits.unlabeled)


def test_given_splits_are_kept() -> None:
    images = [
        image
        for start, given in enumerate(("train", "val", "test"))
        for image in different(given, {"a": 3, "b": 3}, start=100 * start)
    ]
    pack = pack_of([*images, ("unlabeled", "", 999)])

    splits = split(pack, SplitSettings())

    assert splits.train.tolist() == [0, 1, 2, 3, 4, 5]
    assert splits.val.tolist() == [6, 7, 8, 9, 10, 11]
    assert splits.test.tolist() == [12, 13, 14, 15, 16, 17]
    assert splits.unlabeled.tolist() == [18]
    assert splits.notes == ()


def test_validation_comes_out_of_train_where_only_test_is_given() -> None:
    pack = pack_of(different("train", {"a": 20, "b": 20}) + different("test", {"a": 5, "b": 5}, 99))

    splits = split(pack, SplitSettings(validation=0.1))

    assert splits.test.tolist() == list(range(40, 50))
    assert per_class(pack, splits.val) == {"a": 2, "b": 2}
    assert per_class(pack, splits.train) == {"a": 18, "b": 18}


def test_test_comes_out_of_train_where_only_validation_is_given() -> None:
    pack = pack_of(different("train", {"a": 20, "b": 20}) + different("val", {"a": 5, "b": 5}, 99))

    splits = split(pack, SplitSettings(test=0.25))

    assert splits.val.tolist() == list(range(40, 50))
    assert per_class(pack, splits.test) == {"a": 5, "b": 5}


def test_the_seed_decides_and_only_the_seed() -> None:
    pack = pack_of(different("", {"a": 50, "b": 50}))

    first, same, other = (split(pack, SplitSettings(seed=seed)) for seed in (3, 3, 4))

    assert all(np.array_equal(*pair) for pair in zip(first[:4], same[:4], strict=True))
    assert not np.array_equal(first.test, other.test)
    assert len(first.test) == len(other.test)


def test_a_further_class_changes_nothing_for_the_others() -> None:
    images = different("", {"a": 40, "b": 40})
    pack, larger = pack_of(images), pack_of(images + different("", {"aa": 40}, start=500))

    few, more = split(pack, SplitSettings()), split(larger, SplitSettings())

    assert set(few.test) <= set(more.test)
    assert set(few.val) <= set(more.val)


@given(
    counts=st.lists(st.integers(3, 30), min_size=2, max_size=6),
    validation=st.floats(0.01, 0.99),
    test=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_no_image_is_in_two_splits_none_is_lost_and_every_class_is_everywhere(
    counts: list[int], validation: float, test: float, seed: int
) -> None:
    pack = pack_of(different("", dict(zip(LETTERS, counts, strict=False))))

    splits = split(pack, SplitSettings(validation=validation, test=test, seed=seed))

    everything = np.concatenate(splits[:4])
    assert sorted(everything) == list(range(sum(counts)))
    for part in splits[:3]:
        assert set(pack.labels[part]) == set(range(len(counts)))
        assert np.array_equal(part, np.sort(part))


@given(
    images=st.lists(
        st.tuples(
            st.sampled_from(["", "", "val", "unlabeled"]), st.sampled_from("ab"), st.integers(0, 30)
        ),
        max_size=60,
    ),
    seed=st.integers(0, 99),
)
def test_identical_images_are_never_on_two_sides_of_a_split_made_here(
    images: list[tuple[str, str, int]], seed: int
) -> None:
    pool = [(given, "" if given == "unlabeled" else name, pixel) for given, name, pixel in images]
    plenty = different("", {"a": 5, "b": 5}, start=1_000)

    splits = split(pack := pack_of(pool + plenty), SplitSettings(seed=seed))

    pixels = [{pack.images[i].tobytes() for i in part} for part in splits[:4]]
    train, val, test, unlabeled = pixels
    assert not train & val or "val" in {given for given, *_ in images}
    assert not train & test
    assert not val & test
    assert not unlabeled & test


def test_copies_stay_together_without_being_lost() -> None:
    copies = [
        ("", name, number)
        for name, start in (("a", 0), ("b", 100))
        for number in [start + k // 2 for k in range(20)]
    ]
    pack = pack_of(copies)

    splits = split(pack, SplitSettings(test=0.2, validation=0.2))

    assert per_class(pack, splits.test) == {"a": 4, "b": 4}
    assert sum(map(len, splits[:3])) == 40


@pytest.mark.parametrize("other", ["train", "val", "unlabeled"])
def test_a_given_test_image_that_is_elsewhere_too_is_named(other: str) -> None:
    images = different("train", {"a": 5, "b": 5}) + different("test", {"a": 2, "b": 2}, start=50)
    images += different("val", {"a": 1, "b": 1}, start=70)
    twin = (other, "" if other == "unlabeled" else "a", 51)
    pack = pack_of([*images, twin])

    with pytest.raises(DataError, match="1 test image is identical") as caught:
        split(pack, SplitSettings())

    assert caught.value.exit_code == 3
    assert f"test/a/11 = {pack.names[-1]}" in str(caught.value)
    assert "split.allow_duplicates=true" in str(caught.value)


def test_of_many_identical_pairs_ten_are_shown() -> None:
    pack = pack_of(different("train", {"a": 20, "b": 20}) + different("test", {"a": 20, "b": 20}))

    with pytest.raises(DataError, match="40 test images are identical") as caught:
        split(pack, SplitSettings())

    assert str(caught.value).count(" = ") == 10
    assert "and 30 more" in str(caught.value)


def test_identical_images_may_be_allowed_by_name_and_are_noted() -> None:
    pack = pack_of(different("train", {"a": 4, "b": 4}) + different("test", {"a": 4, "b": 4}))

    splits = split(pack, SplitSettings(allow_duplicates=True))

    assert len(splits.test) == 8
    assert splits.notes[0].startswith("8 test images are identical to others")
    assert ": test/a/8 = train/a/0; " in splits.notes[0]
    assert splits.leaked.tolist() == list(range(8, 16))


def test_a_validation_image_that_is_in_train_too_is_noted() -> None:
    images = different("train", {"a": 4, "b": 4}) + different("test", {"a": 1, "b": 1}, start=50)
    pack = pack_of([*images, ("val", "a", 2), ("val", "b", 90)])

    splits = split(pack, SplitSettings())

    assert splits.notes == ("1 validation image is identical to others: val/a/10 = train/a/2",)


def test_unlabeled_copies_of_test_images_chosen_here_are_left_out_and_noted() -> None:
    images = different("", {"a": 10, "b": 10})
    pack = pack_of(images + [("unlabeled", "", pixel) for _, _, pixel in images])

    splits = split(pack, SplitSettings(test=0.2))

    assert len(splits.test) == 4
    assert len(splits.unlabeled) == 16
    assert splits.notes[0].startswith("4 unlabeled images are left out: identical to test images")


def test_one_image_with_two_labels_is_noted() -> None:
    pack = pack_of([*different("", {"a": 5, "b": 5}), ("", "b", 0)])

    splits = split(pack, SplitSettings())

    assert splits.notes == ("1 image occurs with different labels: /a/0 (a) = /b/10 (b)",)


def test_classes_too_small_for_every_side_are_named_with_their_counts() -> None:
    pack = pack_of(different("", {"rose": 1, "tulip": 2, "daisy": 30}))

    with pytest.raises(DataError) as caught:
        split(pack, SplitSettings())

    assert caught.value.exit_code == 3
    assert "Cannot split off test images: every class needs at least 3" in str(caught.value)
    assert "'rose' has 1; 'tulip' has 2." in str(caught.value)


def test_two_images_of_a_class_suffice_where_test_is_given() -> None:
    images = different("train", {"a": 2, "b": 2}) + different("test", {"a": 1, "b": 1}, start=50)

    splits = split(pack_of(images), SplitSettings())

    assert (len(splits.train), len(splits.val), len(splits.test)) == (2, 2, 2)


def test_copies_of_one_image_are_no_class_to_split() -> None:
    pack = pack_of([*different("", {"a": 9}), *[("", "b", 77)] * 9])

    with pytest.raises(DataError, match="'b' has 1"):
        split(pack, SplitSettings())


@pytest.mark.parametrize("key", ["validation", "test"])
@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan"), "much"])
def test_a_share_outside_its_range_is_a_usage_error(key: str, share: object) -> None:
    with pytest.raises(UsageError, match=key) as caught:
        checked(SplitSettings, {key: share}, origin="recipe")

    assert caught.value.exit_code == 2


SCENES = [f"scene{number}" for number in range(20)]


def test_a_group_stays_on_one_side_with_shares_nearly_met() -> None:
    """Twenty scenes of ten images, each of both classes."""
    images = different("", {"a": 100, "b": 100})
    pack = pack_of(images, groups=[SCENES[number % 20] for number in range(200)])

    splits = split(pack, SplitSettings(test=0.2, validation=0.25))

    sides = [{pack.groups[i] for i in part} for part in splits[:3]]
    assert [len(side) for side in sides] == [12, 4, 4]
    assert len(set.union(*sides)) == 20
    assert per_class(pack, splits.test) == {"a": 20, "b": 20}
    assert per_class(pack, splits.val) == {"a": 20, "b": 20}


@given(
    images=st.lists(
        st.tuples(
            st.sampled_from(["", "", "", "val", "unlabeled"]),
            st.sampled_from("ab"),
            st.integers(0, 40),
            st.sampled_from(["", "", *SCENES]),
        ),
        max_size=80,
    ),
    seed=st.integers(0, 99),
    share=st.floats(0.05, 0.6),
)
def test_no_group_and_no_identical_pair_is_ever_parted(
    images: list[tuple[str, str, int, str]], seed: int, share: float
) -> None:
    pool = [(where, "" if where == "unlabeled" else name, p) for where, name, p, _ in images]
    plenty = different("", {"a": 5, "b": 5}, start=1_000)
    groups = [group for *_, group in images] + [""] * 10
    pack = pack_of(pool + plenty, groups=groups if any(groups) else ())

    splits = split(pack, SplitSettings(seed=seed, test=share, validation=share))

    marks = [
        {pack.images[i].tobytes() for i in part} | {groups[i] for i in part if groups[i]}
        for part in splits[:4]
    ]
    train, val, test, unlabeled = marks
    assert not train & val or "val" in pack.given
    assert not train & test
    assert not val & test
    assert not unlabeled & test
    everything = np.concatenate(splits[:4])
    assert len(np.unique(everything)) == len(everything)
    lost = set(range(len(groups))) - set(everything.tolist())
    assert all(pack.given[index] == "unlabeled" for index in lost)
    assert bool(lost) == any("left out" in note for note in splits.notes)


@given(
    sizes=st.lists(st.integers(2, 8), min_size=30, max_size=60),
    mixed=st.booleans(),
    share=st.floats(0.1, 0.4),
    seed=st.integers(0, 99),
)
def test_shares_are_met_to_within_half_a_group_or_one_that_holds_several_classes(
    sizes: list[int], mixed: bool, share: float, seed: int
) -> None:
    images: list[tuple[str, str, int]] = []
    groups: list[str] = []
    for number, size in enumerate(sizes):
        for member in range(size):
            name = "ab"[(member if mixed else number) % 2]
            images.append(("", name, len(images)))
            groups.append(f"g{number}")
    pack = pack_of(images, groups=groups)

    splits = split(pack, SplitSettings(test=share, seed=seed))

    totals, drawn = per_class(pack, np.arange(len(images))), per_class(pack, splits.test)
    for name in "ab":
        wanted = share * totals[name]
        largest = 8 if mixed or wanted < 8 else 4  # a class draws one group, however large
        assert abs(drawn[name] - wanted) <= largest + 1


def test_a_chain_of_a_group_and_a_copy_holds_together() -> None:
    """Two scenes are one, once an image of the one is an image of the other."""
    images = different("", {"a": 40, "b": 40})
    groups = [f"g{number // 2}" for number in range(80)]
    images[1] = ("", "a", 2)  # of group 0, equal to one of group 1
    pack = pack_of(images, groups=groups)

    for seed in range(20):
        splits = split(pack, SplitSettings(seed=seed, test=0.4))
        assert sum(bool({0, 1, 2, 3} & set(part.tolist())) for part in splits[:3]) == 1


def test_unlabeled_images_of_a_tested_group_are_left_out_and_noted() -> None:
    images = different("", {"a": 10, "b": 10}) + [("unlabeled", "", 100 + k) for k in range(20)]
    pack = pack_of(images, groups=[f"g{number}" for number in range(20)] * 2)

    splits = split(pack, SplitSettings(test=0.2))

    assert len(splits.test) == 4
    assert len(splits.unlabeled) == 16
    gone = sorted(set(range(20, 40)) - set(splits.unlabeled.tolist()))
    names = "; ".join(pack.names[index] for index in gone)
    assert splits.notes[0] == f"4 unlabeled images are left out: of a group of test images: {names}"


@pytest.mark.parametrize("other", ["train", "val", "unlabeled"])
def test_a_given_test_split_that_shares_a_group_is_refused_with_its_name(other: str) -> None:
    images = different("train", {"a": 5, "b": 5}) + different("test", {"a": 2, "b": 2}, start=50)
    images += different("val", {"a": 1, "b": 1}, start=70)
    images += [(other, "" if other == "unlabeled" else "a", 99)]
    groups = [f"g{number}" for number in range(16)] + ["g11"]
    pack = pack_of(images, groups=groups)

    with pytest.raises(DataError, match="1 group is in the test split and outside") as caught:
        split(pack, SplitSettings())

    assert f"'g11' (test/a/11, {pack.names[-1]})" in str(caught.value)
    assert "split.allow_shared_groups=true" in str(caught.value)
    with pytest.raises(DataError):
        split(pack, SplitSettings(allow_duplicates=True))
    allowed = split(pack, SplitSettings(allow_shared_groups=True))
    assert allowed.notes == (
        "1 group is in the test split and outside of it, which `split.allow_shared_groups` allows: "
        f"'g11' (test/a/11, {pack.names[-1]})",
    )


def test_shared_groups_and_identical_images_are_told_at_once() -> None:
    images = different("train", {"a": 4, "b": 4}) + different("test", {"a": 4, "b": 4})
    pack = pack_of(images, groups=["one", *[""] * 14, "one"])

    with pytest.raises(DataError) as caught:
        split(pack, SplitSettings())

    assert "8 test images are identical" in str(caught.value)
    assert "1 group is in the test split and outside" in str(caught.value)


def test_a_group_shared_by_validation_and_training_is_noted() -> None:
    images = [
        image
        for start, given in enumerate(("train", "val", "test"))
        for image in different(given, {"a": 3, "b": 3}, start=100 * start)
    ]
    pack = pack_of(images, groups=["x", *[""] * 5, "x", *[""] * 11])

    splits = split(pack, SplitSettings())

    alone, shared = splits.notes
    assert alone.startswith("16 of 18 images belong to no group: train/a/1; train/a/2; ")
    assert shared == (
        "1 group is in the validation split and outside of it: 'x' (val/a/6, train/a/0)"
    )


def test_a_class_that_one_group_holds_is_told_with_its_images_and_groups() -> None:
    images = different("", {"a": 40, "rose": 12})
    pack = pack_of(images, groups=[f"g{k}" for k in range(40)] + ["patient 7"] * 12)

    with pytest.raises(DataError) as caught:
        split(pack, SplitSettings())

    assert "every class needs images in at least 3 groups apart" in str(caught.value)
    assert "'rose' has 12 in 1 of them." in str(caught.value)
    assert "split.seed" not in str(caught.value)


def test_classes_that_hold_on_to_each_other_are_told_to_try_another_seed() -> None:
    """Each class lies in three scenes, but whichever are drawn, some class lacks a part."""
    scenes = ["ab", "bc", "ca", "abc"]
    images = [("", name, k) for k, name in enumerate("".join(scenes))]
    pack = pack_of(images, groups=[scene for scene in scenes for _ in scene])

    with pytest.raises(DataError, match=r"Another `split\.seed` may also do\."):
        for seed in range(20):
            split(pack, SplitSettings(seed=seed))


REAL = [
    ("digits", DigitsSettings, 359),
    ("eurosat_rgb", lambda: FolderSettings(path=DATA / "eurosat_rgb"), 1_200),
    pytest.param(
        "flowers96",
        lambda: FolderSettings(path=DATA / "flowers96", size=96),
        500,
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("name", "source", "tests"), REAL)
def test_real_data_has_no_image_on_two_sides(
    tmp_path: Path, name: str, source: Callable[[], SourceSettings], tests: int
) -> None:
    if name != "digits" and not (DATA / name).exists():
        pytest.skip(f"no ../shared/data/{name}")
    pack = open_pack(source(), shared=tmp_path)

    splits: Splits = split(pack, SplitSettings())

    assert len(splits.test) == tests
    assert splits.notes == ()
