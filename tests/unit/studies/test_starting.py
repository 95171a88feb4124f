import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import DataError, UsageError
from understudy.core.yaml import parse_mapping
from understudy.data.survey import Survey
from understudy.data.views import ViewSettings, view_objections
from understudy.studies.starting import NOT_MEASURED, counts_of, size_of, study_text, told

FOLDER = Path("/photos")


def seen(**changes: Any) -> Survey:
    usual = Survey(
        kind="folder",
        path=FOLDER,
        classes=("cat", "dog"),
        splits={"": 200},
        of_class=(100, 100),
        sides=(100, 120, 140),
        is_grey=False,
        opened=200,
        unreadable=0,
        ignored={},
    )
    return usual._replace(**changes)


def parameters(survey: Survey) -> dict[str, Any]:
    text = study_text(survey, file=Path("study.yaml"), time=NOT_MEASURED)
    assert all(line.isprintable() for line in text.splitlines())
    found: dict[str, Any] = parse_mapping(text, origin="study")["parameters"]
    return found


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00/"), min_size=1)


@given(NAMES, NAMES)
def test_any_folder_and_any_class_is_read_back_as_it_is(folder: str, name: str) -> None:
    """Quotes, colons, newlines, right-to-left marks, escape sequences: in values and comments."""
    path = FOLDER / folder
    if "${" in folder:
        return
    survey = seen(path=path, classes=(name, "dog"), ignored={name: 1})

    assert parameters(survey)["data"]["path"] == str(path.absolute())


def test_a_path_that_a_study_cannot_name_is_refused() -> None:
    with pytest.raises(UsageError, match="name of a parameter"):
        parameters(seen(path=Path("/a ${b}")))
    with pytest.raises(UsageError, match="name of a parameter"):
        parameters(seen(given={"group_pattern": "(a)${b}"}))
    with pytest.raises(UsageError, match="no UTF-8"):
        parameters(seen(path=Path(os.fsdecode(b"/a\xff"))))


def test_counts_are_of_what_the_splits_leave() -> None:
    """20 % of all, then 10 % of the rest, at least one image of each."""
    assert counts_of(seen(of_class=(100, 10))) == (79, 79, 7, 72)
    given_test = seen(of_class=(100, 10), splits={"train": 110, "test": 50, "unlabeled": 30})
    assert counts_of(given_test) == (99, 129, 9, 90)


def test_a_class_too_small_to_split_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"at least 3 images.*'dog' has 2"):
        parameters(seen(of_class=(100, 2)))
    all_given = seen(of_class=(100, 1), splits={"train": 101, "val": 5, "test": 5})
    assert parameters(all_given)


@pytest.mark.parametrize(
    ("median", "pool", "size"),
    [(8, 100, 8), (20, 100, 16), (40, 100, 32), (500, 100, 128), (500, 90_000, 32), (64, 4140, 64)],
)
def test_the_size_is_the_largest_that_the_images_have_and_their_number_allows(
    median: int, pool: int, size: int
) -> None:
    survey = seen(sides=(median, median, median))

    assert size_of(survey, counts_of(survey)._replace(pool=pool)) == size


def test_batches_never_exceed_the_images_and_few_labels_freeze_the_teacher() -> None:
    few = parameters(seen(of_class=(5, 5), splits={"": 10}))
    many = parameters(seen(of_class=(900, 900), splits={"": 1800}))

    assert few["finetune"] == {"frozen": True, "batch_size": 4}
    assert (few["pretrain"]["batch_size"], few["distill"]["batch_size"]) == (2, 2)
    assert many["finetune"]["frozen"] is False
    assert (many["pretrain"]["batch_size"], many["distill"]["batch_size"]) == (256, 128)
    assert few["pretrain"]["epochs"] == 100
    lots = parameters(seen(of_class=(50_000, 50_000), splits={"": 100_000}))
    assert lots["pretrain"]["epochs"] == 20


def test_grey_images_are_read_as_grey() -> None:
    assert parameters(seen(is_grey=True))["data"]["channels"] == "grey"
    assert "channels" not in parameters(seen())["data"]


def test_images_of_bands_get_views_that_any_number_of_channels_can_follow() -> None:
    made = parameters(seen(has_bands=True, given={"bands": ["B04", "B8A"]}))

    assert made["data"]["bands"] == ["B04", "B8A"]
    for views in made["views"].values():
        settings = [ViewSettings.model_validate(view) for view in views]
        assert view_objections(settings, channels=12) == []
    assert len(made["views"]["pretrain"]) == 2
    assert "views" not in parameters(seen())


def test_every_class_is_listed_where_they_are_few() -> None:
    assert "#   'cat' 100, 'dog' 100\n" in study_text(seen(), file=Path("x"), time="")
    names = tuple(f"class {number}" for number in range(21))
    many = seen(classes=names, of_class=(100,) * 21, splits={"": 2100})
    assert "'class 7'" not in study_text(many, file=Path("x"), time="")


@given(
    st.dictionaries(
        st.sampled_from(["path_column", "group_pattern"]),
        NAMES.filter(lambda text: "${" not in text),
    )
)
def test_settings_that_were_asked_for_are_read_back_as_they_are(asked: dict[str, str]) -> None:
    data = parameters(seen(given={**asked, "size": 20, "root": "~/x", "classes": ["a", "b"]}))[
        "data"
    ]

    assert {key: data[key] for key in asked} == asked
    assert data["classes"] == ["a", "b"]
    assert data["size"] == 20
    assert data["root"] == str(Path("~/x").expanduser())
    grey = parameters(seen(is_grey=True, given={"channels": "rgb"}))
    assert grey["data"]["channels"] == "rgb"


def test_a_long_time_says_how_to_spend_less() -> None:
    assert "about 5 h" in told({"pretrain": 18_000.0})
    assert "budget=" in told({"pretrain": 18_000.0})
    assert "budget=" not in told({"pretrain": 1800.0})
    assert all(len(f"# Time: {line}") <= 100 for line in told({"pretrain": 1e4}).splitlines())


def test_the_time_is_told_in_total_and_by_stage() -> None:
    sentence = told({"baseline": 30.0, "pretrain": 570.0})

    assert "about 10 min for a seed" in sentence
    assert "(baseline 30 s, pretrain 10 min)" in sentence
