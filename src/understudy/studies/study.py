"""A study as its file states it: parameters, scales, axes, seeds, stages that name each other."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

from pydantic import Field, NonNegativeInt

from understudy.core.errors import UsageError
from understudy.core.identity import digest
from understudy.core.overrides import overlaid
from understudy.core.settings import Settings, checked
from understudy.core.shipped import found
from understudy.core.wording import headed, named, nearest
from understudy.core.yaml import read_yaml
from understudy.studies.filling import REFERENCE, Filling, references_in
from understudy.studies.parameters import BUDGET, leaves, unknown
from understudy.studies.published import PublishedSettings, unknown_in
from understudy.studies.where import mistakes_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What may name a folder on any system."""
RESERVED = ("seed", "seeds", "scale", "reduced", "machine")
"""Words that mean something else where a parameter or an axis is named."""


class StudyFile(Settings):
    """The keys of a study's file."""

    name: str | None = None
    """Names the folder of the results; by default the file's name."""
    title: str = ""
    """One sentence for the report."""
    extends: str | None = None
    """Another study, by name or path: what this file does not say is as it is there."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """What `key=value` on the command line may change; stages refer to it as `${key}`."""
    scales: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Sizes by name: parameters to change, `seeds`, other values of axes (known ones by their
    names), and `reduced`, a sentence on what is left out."""
    axes: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Values to combine with each other; stages refer to the one at hand as `${axis}`. A mapping is
    called by its `name`."""
    reference: dict[str, str] = Field(default_factory=dict)
    """By axis, the value that the models of all its other values are compared with."""
    tune: dict[str, Any] | None = None
    """Settings of a stage to choose on validation before the study is done."""
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = (0,)
    """Everything is done once for each; stages refer to the one at hand as `${seed}`."""
    budget: dict[str, Any] | None = None
    """How a time limit turns into parameters."""
    published: tuple[PublishedSettings, ...] = ()
    """Figures that others published of the same, which the report shows beside its own."""
    stages: dict[str, dict[str, Any] | None] = Field(default_factory=dict)
    """Runs by name: `stage` and its settings; `@name` stands for the run of another, and `null`
    takes one of an extended study away. `recipe: NAME` takes the settings of a recipe of that
    stage, over which the others are laid. `where: {axis: [value, ...]}` has it done for these
    values alone; what builds on a run that is not done is not done either, but a list of runs
    leaves it out."""


@dataclass(frozen=True)
class Study:
    """A study, with what the command line made of it."""

    name: str
    title: str
    parameters: Mapping[str, Any]
    scales: Mapping[str, Mapping[str, Any]]
    axes: Mapping[str, tuple[Any, ...]]
    seeds: tuple[int, ...]
    budget: Mapping[str, Any] | None
    stages: Mapping[str, Mapping[str, Any]]
    origin: str
    """Where it came from, to head error messages."""
    stated: Mapping[str, Any]
    """The parameters of the file."""
    published: tuple[PublishedSettings, ...] = ()
    scale: str | None = None
    reduced: str | None = None
    """What the scale leaves out, in a sentence."""
    machine: Mapping[str, Any] = field(default_factory=dict)
    """What to compute with, laid over the `machine` of every stage; no part of what is asked."""
    reference: Mapping[str, str] = field(default_factory=dict)
    """By axis, the name of the value that others are compared with."""
    tune: Mapping[str, Any] | None = None
    """As the file says it, references and all."""
    stated_axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """The axes of the file."""
    settled: tuple["Settled", ...] = ()
    """What tuning tries or chose; no part of what is asked."""

    @property
    def read(self) -> set[str]:
        """The dotted keys of the parameters that anything in the study refers to."""
        places = (
            *(self.stages, self.budget, self.parameters, self.axes, self.scales),
            *(self.tune, self.stated_axes),
        )
        found = {path for place in places for path in references_in(place)}
        return found | {BUDGET} if self.budget else found

    @property
    def changed(self) -> dict[str, Any]:
        """The parameters that are not as the file states them, by dotted key; axes by names."""
        axes = {axis: [*map(named, values)] for axis, values in self._other_axes.items()}
        return {**dict(_different(self.parameters, self.stated, "")), **axes}

    @property
    def folder(self) -> str:
        """The folder of its results: the name, and a short hash of what was changed."""
        if self._other_axes:
            return f"{self.name}-{digest([self.parameters, self._other_axes])[:8]}"
        if self.parameters == self.stated:
            return self.name
        return f"{self.name}-{digest(self.parameters)[:8]}"

    @property
    def _other_axes(self) -> dict[str, tuple[Any, ...]]:
        return {
            axis: values for axis, values in self.axes.items() if values != self.stated_axes[axis]
        }


class Settled(NamedTuple):
    """Settings of a stage that stand in place of those that are written."""

    stage: str
    """Its name in the study."""
    axes: Mapping[str, Any]
    """Where: under these values of the axes; others do not matter."""
    changes: Mapping[str, Any]
    """By dotted path, the value, or a factor as `{times: 3}`."""


def _every_value(study: Study) -> dict[str, list[Any]]:
    """What each axis can be: as the file states it, and at every scale."""
    found = {axis: [*values] for axis, values in study.stated_axes.items()}
    for changes in study.scales.values():
        for axis in set(changes).intersection(found):
            asked = changes[axis]
            found[axis] += asked if isinstance(asked, list | tuple) else [asked]
    return found


def _different(own: Any, stated: Any, key: str) -> Iterator[tuple[str, Any]]:
    """What differs, as deep inside mappings as the difference lies."""
    if own == stated:
        return
    if not isinstance(own, Mapping) or not isinstance(stated, Mapping):
        yield key, own
        return
    for name, value in own.items():  # what only the other has, another kind has dropped
        yield from _different(value, stated.get(name), f"{key}.{name}" if key else str(name))


def images_of(study: Study) -> dict[str, Any]:
    """The settings of images that stages take whole from a parameter, by its dotted key.

    Those that a stage puts together itself, or of an axis, are seen by the plan alone.
    """
    taken = [REFERENCE.fullmatch(str(stage.get("data"))) for stage in study.stages.values()]
    names = [one[1] for one in taken if one]
    return {
        name: Filling(study.parameters, {}).fill(study.parameters[name])
        for name in names
        if name in study.parameters
    }


def read_study(asked: str) -> Study:
    """Reads a shipped study by name, or any study by the path of its file.

    Raises:
        UsageError: There is none, or it is not what a study must be; all mistakes are named.
    """
    return _read(asked, behind=())


def _read(asked: str, behind: tuple[str, ...]) -> Study:
    if asked in behind:
        circle = " -> ".join([*behind, asked])
        raise UsageError(f"{behind[0]}: `extends` leads in a circle: {circle}.")
    path = found(asked, folder="studies", what="study")
    values = read_yaml(path)
    file = checked(StudyFile, values, origin=asked)
    base = _read(file.extends, behind=(*behind, asked)) if file.extends else None

    study = _study(file, values, base, origin=asked, stem=path.stem)
    mistakes = [
        *_mistakes(study),
        *_taken_from_nowhere(file, base),
        *([] if behind else _unread(study, file)),
    ]
    if mistakes:
        raise UsageError(headed(asked, mistakes))
    return study


def _study(
    file: StudyFile, values: Mapping[str, Any], base: Study | None, *, origin: str, stem: str
) -> Study:
    """The study of a file; what the file does not say is as in `base`.

    Parameters are laid over those of `base` key by key, and stages stage by stage; one that is
    null is taken away.
    """
    own = values.get("parameters", {})  # as read: they know their lines
    parameters = overlaid(base.parameters, own, origin=origin) if base else own
    stages = {**(base.stages if base else {}), **values.get("stages", {})}

    def said(key: str) -> Any:
        return getattr(base if base and key not in file.model_fields_set else file, key)

    return Study(
        name=file.name or _folder_name(stem),
        title=said("title"),
        parameters=parameters,
        scales=said("scales"),
        axes=said("axes"),
        seeds=said("seeds"),
        budget=said("budget"),
        published=said("published"),
        stages={name: stage for name, stage in stages.items() if stage is not None},
        origin=origin,
        stated=parameters,
        reference=said("reference"),
        tune=said("tune"),
        stated_axes=said("axes"),
    )


def _unread(study: Study, file: StudyFile) -> Iterator[str]:
    """Keys of the file that was asked for that nothing reads; those refused anyway left aside.

    A reference to no parameter is the nearer mistake: the plan tells it, and this may follow
    from it. What a file that is extended says may be read by the stages of others.
    """
    known = {*study.parameters, *study.axes, "seed", BUDGET}
    if any(path.split(".")[0] not in known for path in study.read):
        return
    aside = {*RESERVED, *study.axes}
    keys = [key for key, _ in leaves(file.parameters) if key.split(".")[0] not in aside]
    yield from unknown(keys, study.parameters, study.read).values()
    for scale, changes in file.scales.items():
        own = [key for key in changes if key.split(".")[0] in study.parameters]
        for mistake in unknown(own, study.parameters, study.read).values():
            yield f"scales.{scale}.{mistake}"


def _taken_from_nowhere(file: StudyFile, base: Study | None) -> Iterator[str]:
    """Stages that are null, where there is none to take away."""
    there = list(base.stages) if base else []
    for name, stage in file.stages.items():
        if stage is None and name not in there:
            yield f"stages.{name} = null  takes a stage of the extended study away; " + nearest(
                name, there
            )


def _folder_name(stem: str) -> str:
    """A file may be called anything; the folder of its results may not."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._") or "study"


def _mistakes(study: Study) -> Iterable[str]:
    """What is wrong between the keys, each of which is right in itself."""
    if not NAME.fullmatch(study.name):
        yield f"name = {study.name!r}  must be letters, digits, `_`, `.` and `-`: it names a folder"
    for key in ("parameters", "axes", "scales", "stages"):
        for name in getattr(study, key):
            if not NAME.fullmatch(name) or "." in name:
                yield f"{key}.{name}  must be called by letters, digits, `_` and `-` alone"
    for name in sorted({*study.parameters, *study.axes}.intersection(RESERVED)):
        yield f"{name}  cannot name a parameter or an axis: the word means something else"
    for name in sorted(set(study.parameters).intersection(study.axes)):
        yield f"axes.{name}  is also a parameter; one of the two needs another name"
    for scale, changes in study.scales.items():
        if not isinstance(changes.get("reduced", ""), str):
            yield f"scales.{scale}.reduced  must be a sentence"
        for key in changes:
            known = [*study.parameters, *study.axes, "reduced", "seeds"]
            if key not in known and key.split(".")[0] not in study.parameters:
                yield f"scales.{scale}.{key}  unknown parameter; {nearest(key, known)}"
    for axis, values in study.axes.items():
        twice = [name for name, count in Counter(map(named, values)).items() if count > 1]
        yield from (f"axes.{axis}  has two values called {name}" for name in twice)
    for axis, name in study.reference.items():
        if axis not in study.axes:
            yield f"reference.{axis}  is no axis; {nearest(axis, list(study.axes))}"
        elif name not in (names := [*map(named, study.axes[axis])]):
            yield f"reference.{axis} = {name}  is no value of this axis; {nearest(name, names)}"
    yield from unknown_in(study.published, stages=study.stages, axes=study.axes)
    if not study.stages:
        yield "stages  missing; a study needs at least one run, or another study to extend"
    for node, stage in study.stages.items():
        if not isinstance(stage.get("stage"), str):
            yield f"stages.{node}.stage  missing; it says what kind of run this is"
    yield from mistakes_of(study.stages, _every_value(study))
    if len(set(study.seeds)) < len(study.seeds):
        yield f"seeds = {list(study.seeds)}  must be different from each other"
