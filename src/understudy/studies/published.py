"""Figures that others published of what a study does again, to stand beside its own."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from understudy.core.settings import Settings
from understudy.core.wording import named, nearest

Share = Annotated[float, Field(ge=0, le=1)]


class PublishedFigure(Settings):
    """What was published of one model."""

    name: str
    """The stage of this study that does it again."""
    axes: dict[str, Any] = Field(default_factory=dict)
    """Values of axes, where the stage has several."""
    test_top1: tuple[Share, ...] = ()
    """Test accuracy, 0 to 1; one for each seed, in one order for all models."""
    linear_top1: tuple[Share, ...] = ()
    """Of frozen features, by a linear probe."""
    linear_top5: tuple[Share, ...] = ()
    """Likewise, with the right class among the first five."""
    knn20_top1: tuple[Share, ...] = ()
    """Of frozen features, by the 20 nearest neighbours."""
    knn200_top1: tuple[Share, ...] = ()
    """Likewise, by 200."""

    @model_validator(mode="after")
    def _tells_something(self) -> Self:
        kinds = [key for key in type(self).model_fields if key not in ("name", "axes")]
        if not any(getattr(self, key) for key in kinds):
            raise ValueError(f"figures: none of {', '.join(kinds)}; give at least one")
        return self


class PublishedSettings(Settings):
    """Figures of one source."""

    title: str
    """Heads their column."""
    source: str
    """Who published them where, and what they hold for, in a sentence."""
    test_images: PositiveInt
    """How many images they were measured on: beside results on another number they are not shown,
    as those on other data."""
    checkpoint: Literal["last", "best"] = "last"
    """Which checkpoint of this study they are compared with."""
    figures: tuple[PublishedFigure, ...]


def unknown_in(
    published: tuple[PublishedSettings, ...],
    *,
    stages: Collection[str],
    axes: Mapping[str, Collection[Any]],
) -> Iterator[str]:
    """Mistakes: figures of stages, axes or values that the study does not have."""
    for place, one in enumerate(published):
        for at, figure in enumerate(one.figures):
            where = f"published[{place}].figures[{at}]"
            if figure.name not in stages:
                told = nearest(figure.name, list(stages))
                yield f"{where}.name = {figure.name}  is no stage of this study; {told}"
            for axis, value in figure.axes.items():
                values = [named(each) for each in axes.get(axis, ())]
                if axis not in axes:
                    told = nearest(axis, list(axes))
                    yield f"{where}.axes.{axis}  is no axis of this study; {told}"
                elif named(value) not in values:
                    told = nearest(named(value), values)
                    yield f"{where}.axes.{axis} = {named(value)}  is no value of that axis; {told}"
