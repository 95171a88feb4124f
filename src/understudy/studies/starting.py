"""A study to start from, written for the images that are there, with a reason on each line."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

from understudy.core.errors import DataError, UsageError
from understudy.core.wording import shown
from understudy.data.splits import SplitSettings
from understudy.data.survey import Survey

SIZES = (16, 24, 32, 48, 64, 96, 128)
MOST_PIXELS = 2**30  # seen in pretraining: 1,000 batches of 256 at 64 pixels; hours on two cores
SMALL = 32  # pixels to which large sets are still shrunk; below, things are hard to tell apart
PRETRAIN_STEPS, DISTILL_STEPS = 1000, 1500  # so many, within
LEAST_EPOCHS, MOST_EPOCHS = 20, 100  # so many passes
FEW = 100  # labels; below, a whole network fits them by heart: only its classifier is trained
MANY_CLASSES = 20
PLACES = ("root", "unlabeled")  # settings of sources that are paths
LONG = 3600.0  # seconds, of which a person wants to know how to spend fewer

_TEMPLATE = """\
# {title}
#
#   understudy run {file} --dry-run      what would be run
#   understudy run {file}                runs it; the same command continues
#
# Each line below is a setting: its name, a colon, its value. What stands behind a # explains and
# changes nothing. Change a value, save the file, and give the command again; what is finished and
# still holds is not done twice. The spaces in front of a line belong to it. Numbers that are not
# here are those of the study `few-labels`, and any of them may be written here as well.
#
# Found in {place}:
{found}
#
# Time: {time}
extends: few-labels  # the study that this one fills in
title: {quoted_title}

parameters:
  data:
    kind: {kind}
    path: {path}
    size: {size}  # {size_reason}{further}
  split:
    validation: {validation}  # {validation_reason}
    test: {test}  # {test_reason}
  labels:
    per_class: null  # null: no limit, {labels_reason}
    validation_per_class: null  # no limit; they choose the best checkpoint, and count as labels
  teacher: {{kind: cifar_resnet, depth: {teacher}, width: 2}}  # {teacher_reason}
  student: {{kind: cifar_resnet, depth: {student}, width: 1}}  # {student_reason}
  pretrain:
    batch_size: {pretrain_batch}  # {pretrain_batch_reason}
    epochs: {pretrain_epochs}  # {pretrain_reason}
  finetune:
    frozen: {frozen}  # {frozen_reason}
    batch_size: {finetune_batch}  # {finetune_reason}
  distill:
    batch_size: {distill_batch}  # as in pretraining
    epochs: {distill_epochs}  # {distill_reason}
{views}

seeds: [1]  # one draw shows no spread: with [1, 2, 3] every gain gets its interval
"""


_OF_PHOTOGRAPHS = """\
  # Photographs may be mirrored. Where left and right matter, as in digits or text, write `views:`
  # without `horizontal_flip`, as the study `digits` does."""
_OF_BANDS = """\
  views:  # for images of bands from above: none needs three colours, and no side is the upper one
    pretrain:  # two transforms of nine for each view, but for some pairs: SimCLR-S2's
      - transforms: [{kind: pair}]
      - transforms: [{kind: pair}]
    finetune:
      - transforms:
          - {kind: random_resized_crop, scale: [0.3, 1.0]}
          - {kind: flip}
          - {kind: rotate90}
          - {kind: gain, most: 0.2}
    distill:
      - transforms:
          - {kind: random_resized_crop, scale: [0.5, 1.0]}
          - {kind: flip}
          - {kind: rotate90}"""


class Counts(NamedTuple):
    """How many images there will be once the missing splits are carved out."""

    train: int
    """Labelled."""
    pool: int
    """Training images and unlabeled ones."""
    least: int
    """Labelled training images of the smallest class."""
    most: int


def study_text(survey: Survey, *, file: Path, time: str) -> str:
    """The text of the study.

    Args:
        survey: What lies there.
        file: Where the text will be written, for the commands that it shows.
        time: A sentence on how long it takes.

    Raises:
        UsageError: The path cannot stand in a study.
        DataError: There are too few images to split.
    """
    counts = counts_of(survey)
    size = size_of(survey, counts)
    classes = len(survey.classes)
    batch, distill = _batch(counts, most=256), _batch(counts, most=128)
    frozen = counts.train <= FEW
    epochs = _epochs(PRETRAIN_STEPS, batch, counts.pool)
    rounds = _epochs(DISTILL_STEPS, distill, counts.pool)
    split = SplitSettings()
    title = f"A small model of {classes} classes from {survey.images:,} images"
    return _TEMPLATE.format(
        title=title,
        quoted_title=_quoted(title),
        file=_word(file),
        place=_comment(str(survey.path)),
        found="\n".join(f"#   {line}" for line in found_lines(survey)),
        time=time,
        kind=survey.kind,
        path=_path(survey.path),
        size=size,
        size_reason=_size_reason(survey, counts, size),
        views=_OF_BANDS if survey.has_bands else _OF_PHOTOGRAPHS,
        further="".join(f"\n    {line}" for line in _further(survey)),
        validation=split.validation,
        validation_reason=_given(survey, "val", "of the training images of each class"),
        test=split.test,
        test_reason=_given(survey, "test", "of all images of each class"),
        labels_reason=_labels_reason(survey, counts),
        teacher=14 if classes <= MANY_CLASSES else 20,
        teacher_reason=f"all {counts.pool:,} images train it",
        student=8 if classes <= MANY_CLASSES else 14,
        student_reason="small; deeper or wider ones tell and cost more",
        pretrain_batch=batch,
        pretrain_batch_reason=f"at most half of the {counts.pool:,} images, and 256",
        pretrain_epochs=epochs,
        pretrain_reason=_epochs_reason(epochs, batch, counts.pool),
        frozen="true" if frozen else "false",
        frozen_reason=f"{counts.train:,} labels are {'too few' if frozen else 'enough'} to move "
        "the whole teacher",
        finetune_batch=_power_of_two(counts.train, most=64),
        finetune_reason=f"at most the {counts.train:,} labels, and 64",
        distill_batch=distill,
        distill_epochs=rounds,
        distill_reason=_epochs_reason(rounds, distill, counts.pool),
    )


def counts_of(survey: Survey) -> Counts:
    """What the splits will leave for training; identical images may change it by a few.

    Raises:
        DataError: A class is too small to be on every side.
    """
    split = SplitSettings()
    shares = [
        share
        for name, share in (("test", split.test), ("val", split.validation))
        if not survey.splits.get(name)
    ]
    short = {
        name: count
        for name, count in zip(survey.classes, survey.of_class, strict=True)
        if count <= len(shares)
    }
    if short:
        named = ", ".join(f"{shown(name)} has {count}" for name, count in list(short.items())[:10])
        raise DataError(
            f"{survey.path}: every class needs at least {len(shares) + 1} images, to train and to "
            f"test with; {named}. Add images to these classes, or take the classes away."
        )
    left = []
    for count in survey.of_class:
        for share in shares:
            count -= max(1, round(share * count))
        left.append(max(1, count))
    train = sum(left)
    return Counts(train, train + survey.unlabeled, least=min(left), most=max(left))


def size_of(survey: Survey, counts: Counts) -> int:
    """The size asked for, or the largest usual one that the images have and their number allows."""
    if survey.given.get("size"):
        return int(survey.given["size"])
    _, median, _ = survey.sides
    fitting = [size for size in SIZES if size <= median]
    seen = counts.pool * _epochs(PRETRAIN_STEPS, _batch(counts, most=256), counts.pool)
    allowed = [size for size in fitting if size <= SMALL or seen * size**2 <= MOST_PIXELS]
    return max(allowed, default=max(median, 1))


def found_lines(survey: Survey) -> list[str]:
    """What lies there, a line each, fit to stand in a comment."""
    splits = ", ".join(
        f"{count:,} {name or 'not split'}" for name, count in survey.splits.items() if count
    )
    smallest, median, largest = survey.sides
    by_size = sorted(zip(survey.of_class, survey.classes, strict=True))
    (least, rarest), (most, commonest) = by_size[0], by_size[-1]
    pool = f"{survey.unlabeled:,} images" if survey.unlabeled else "none; the training images serve"
    lines = [
        f"{survey.images:,} images ({splits})",
        f"{len(survey.classes)} classes, {least:,} images ({shown(rarest)}) to {most:,} "
        f"({shown(commonest)}) in the part to train with",
        f"unlabeled pool: {pool}",
        f"shorter sides of {smallest} to {largest} pixels, half of them up to {median} "
        f"({survey.opened:,} images opened)",
        *_class_lines(survey),
        *(f"left out: {count:,} x {reason}" for reason, count in survey.ignored.items()),
    ]
    if survey.unreadable:
        lines.append(f"{survey.unreadable:,} of the images opened cannot be read: repair them")
    return [_comment(line) for line in lines]


def _class_lines(survey: Survey) -> list[str]:
    """Every class with its images, where they are few enough to be read."""
    if len(survey.classes) > MANY_CLASSES:
        return []
    told = ", ".join(
        f"{shown(name)} {count:,}"
        for name, count in zip(survey.classes, survey.of_class, strict=True)
    )
    return wrap(told, 90, break_on_hyphens=False)


def _further(survey: Survey) -> Iterator[str]:
    """The other settings of the source."""
    asked = {key: value for key, value in survey.given.items() if key not in ("kind", "size")}
    if survey.is_grey and "channels" not in asked:
        yield "channels: grey  # no image that was opened has a colour"
    for key, value in asked.items():
        told = _path(Path(value)) if key in PLACES else _quoted(_literal(value))
        yield f"{key}: {told}  # as asked for"


def _size_reason(survey: Survey, counts: Counts, size: int) -> str:
    if survey.given.get("size"):
        return "pixels, as asked for"
    _, median, _ = survey.sides
    larger = [other for other in SIZES if size < other <= median]
    if larger:
        return (
            f"pixels; larger ones would be slow for {counts.pool:,} images. "
            "Cost grows with its square"
        )
    return f"pixels; half of the images have a shorter side of no more than {median}"


def _given(survey: Survey, split: str, of: str) -> str:
    count = survey.splits.get(split)
    return f"not read: {count:,} images are given" if count else f"{of}; none is given"


def _labels_reason(survey: Survey, counts: Counts) -> str:
    each = f"{counts.least:,}" + (f" to {counts.most:,}" if counts.most > counts.least else "")
    if survey.unlabeled:
        return f"so all: {each} of each class, beside {survey.unlabeled:,} unlabeled images"
    fewer = max(1, min(20, counts.least // 2))
    return f"so all: {each} of each class; {fewer} would show what few labels give"


def _epochs(steps: int, batch: int, pool: int) -> int:
    return min(MOST_EPOCHS, max(LEAST_EPOCHS, -(-steps * batch // pool)))


def _epochs_reason(epochs: int, batch: int, pool: int) -> str:
    steps = max(1, epochs * pool // batch)
    return f"{steps:,} steps; `budget=30min` on the command line fits both to a time"


def _batch(counts: Counts, *, most: int) -> int:
    """Of images without labels: at most half of them, so that an epoch has two steps."""
    return _power_of_two(counts.pool // 2, most=most)


def _power_of_two(number: int, *, most: int) -> int:
    """The largest up to both, at least 2: batch norm needs two images."""
    return 1 << max(1, min(number, most).bit_length() - 1)


def _quoted(value: object) -> str:
    """A value as YAML reads it back, whatever it holds: as JSON, nothing unseen in it."""
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)


def _literal(value: Any) -> Any:
    """The same value, if a study reads nothing into it."""
    if "${" in str(value):
        raise UsageError(
            f"{value}: holds `${{`, which a study reads as the name of a parameter. "
            "A folder may be renamed, or named by a link to it."
        )
    return value


def _path(path: Path) -> str:
    text = _literal(str(path.expanduser().absolute()))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{shown(text)}: is no UTF-8 text, so that no study can name it. Rename the folder."
        ) from error
    return _quoted(text)


def _word(file: Path) -> str:
    """The file as one word of a shell, in a comment."""
    text = _comment(str(file))
    return text if re.fullmatch(r"[\w./-]+", text) else "'" + text.replace("'", "'\\''") + "'"


def _comment(text: str) -> str:
    """One line without anything that could end a comment or move a cursor."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def told(seconds: Mapping[str, float]) -> str:
    """The sentence on the time, from what each stage takes."""
    parts = ", ".join(f"{name} {_minutes(took)}" for name, took in seconds.items())
    whole = sum(seconds.values())
    lines = [
        f"about {_minutes(whole)} for a seed on this machine, and a minute to evaluate and export",
        f"  ({parts}),",
        "  measured by a few small steps in the plainest way; a run looks for a faster one",
    ]
    if whole > LONG:
        lines.append("  shorter: half the `size` takes about a quarter; `budget=30min` behind the")
        lines.append("  command fits the steps to a time")
    return "\n# ".join(lines)


NOT_MEASURED = "not measured; `budget=30min` on the command line fits the study to a time"


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 2 * LONG else f"{seconds / LONG:.0f} h"
