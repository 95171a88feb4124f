"""What is asked of the images for all runs of a study, and how a refusal names them."""

from types import SimpleNamespace
from typing import ClassVar, Literal, cast

import pytest

from understudy.core.errors import UsageError
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.studies.fitting import Asked, images_key, must_fit
from understudy.studies.plan import Node


class Cropped(DataSettings):
    """A stage with a setting that no other stage has."""

    asked: ClassVar[list[int]] = []
    stage: Literal["cropped"] = "cropped"
    border: int = 0
    seed: int = 0

    def must_fit(self, pack: Pack) -> None:
        del pack
        self.asked.append(self.border)
        if self.border > 3:
            raise UsageError(f"`border` is {self.border}, and images have 8 pixels.")


@pytest.fixture(autouse=True)
def _none_asked() -> None:
    Cropped.asked.clear()


def asked(border: int, *, name: str = "crop", seed: int = 0, **axes: int) -> Asked:
    settings = Cropped(border=border, seed=seed)
    node = Node(
        name=name,
        stage="cropped",
        seed=seed,
        axes=axes,
        settings={},
        parents={},
        key=f"{border}/{seed}",
    )
    return node, settings


def check(*every: Asked) -> None:
    pack = cast(Pack, SimpleNamespace())
    must_fit(every, {images_key(every[0][1]): pack}, origin="crops")


def test_whatever_setting_differs_is_asked_again_and_seeds_are_not() -> None:
    with pytest.raises(UsageError, match="`border` is 4"):
        check(*(asked(border, seed=seed) for border in (1, 2, 4) for seed in (1, 2)))

    assert Cropped.asked == [1, 2, 4]


def test_a_refusal_names_the_axes_where_it_is_not_of_all() -> None:
    with pytest.raises(UsageError) as caught:
        check(asked(4, width=9), asked(1, width=2))

    assert str(caught.value).splitlines()[1].startswith("  stages.crop (width 9)  `border` is 4")


def test_candidates_of_a_tuning_differ_in_no_axis_that_could_be_named() -> None:
    with pytest.raises(UsageError) as caught:
        check(asked(4), asked(1))

    assert str(caught.value).splitlines()[1].startswith("  stages.crop  `border` is 4")


def test_a_mistake_of_several_stages_is_told_once_with_all_of_them() -> None:
    with pytest.raises(UsageError) as caught:
        check(asked(4, name="left"), asked(4, name="right"), asked(1, name="middle"))

    (line,) = str(caught.value).splitlines()[1:]
    assert line.startswith("  stages.left, stages.right  `border` is 4")


def test_a_mistake_of_every_stage_is_told_without_any() -> None:
    with pytest.raises(UsageError, match=r"^`border` is 4, and images have 8 pixels\.$"):
        check(asked(4, name="left"), asked(4, name="right"))
