"""The README.md beside an exported file: every sentence and number of it computed."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from understudy.evaluation.intervals import macro_f1, over_images, wilson
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.temperature import Temperature
from understudy.stages.card_text import between, bullets, code, codes, counted, percent, table
from understudy.stages.lineage import ROLES, Ancestor
from understudy.stages.quantising import Judgement

MOST_CONFUSED = 3  # pairs of classes that are told
MOST_RARE = 5  # classes with the fewest test images that are told
FEW_IMAGES = 100  # of a class: below, its recall is known to about ten points at best


class Evaluated(NamedTuple):
    """What an evaluation says of the exported checkpoint."""

    run: str
    split: str
    """test, or val."""
    figures: Mapping[str, Any]
    """One of the evaluation's entries."""


class Card(NamedTuple):
    """All that the page is computed from."""

    file: str
    sha256: str
    classes: tuple[str, ...]
    channels: int
    preparation: Preparation
    temperature: Temperature
    checkpoint: str
    line: list[Ancestor]
    source: str
    """The kind of the images' source; where they lay is nobody's business."""
    pack: str
    splits: Mapping[str, int]
    """Images by split."""
    notes: tuple[str, ...]
    """Of the split: identical images on both sides, and the like."""
    evaluated: Evaluated | None
    parity: Mapping[str, Any]
    golden: Mapping[str, int]
    int8: Judgement | None
    int8_file: str
    file_bytes: int
    machine: Mapping[str, Any]
    version: str

    @property
    def model(self) -> Ancestor:
        """The run that was exported."""
        return self.line[0]


def written(card: Card) -> str:
    """The page, in Markdown."""
    sections = {
        "What it tells apart": _classes(card),
        "Numbers": _numbers(card),
        "Limits": bullets(list(_limits(card))),
        "What it was trained on": _training(card),
        "Pixels": _pixels(card),
        "Probabilities": _probabilities(card),
        "Size and speed": _costs(card),
        "Licence": bullets(list(_licences(card))),
        "Use and check": _use(card),
    }
    title = f"# {code(card.file)} tells {len(card.classes)} classes apart"
    head = f"{title}\n\nWritten by understudy {card.version}. Every number here was computed."
    parts = [f"## {name}\n\n{text}" for name, text in sections.items()]
    return "\n\n".join([head, *parts]) + "\n"


def _classes(card: Card) -> str:
    return (
        f"{len(card.classes)} classes, in the order of the outputs: {codes(card.classes)}.\n\n"
        "It knows no others: an image of anything else is still given one of these names."
    )


def _numbers(card: Card) -> str:
    seen = card.model.summary.get("checkpoints", {}).get(card.checkpoint, {})
    labels = card.model.summary.get("labels", {}).get("validation", 0)
    validation = seen.get("val_top1")
    own = (
        f"On validation ({counted(labels, 'label')}), which may have chosen the checkpoint: "
        f"{percent(validation)}."
        if validation is not None
        else "No validation label was read."
    )
    if card.evaluated is None:
        return f"No evaluation on test images was given for this card (`evaluation=RUN`). {own}"
    figures, split = card.evaluated.figures, card.evaluated.split
    whose = (
        "that nothing was trained, chosen or calibrated on"
        if split == "test"
        else "that may have chosen its checkpoint and its temperature, so that they flatter it"
    )
    told = f"On the {split} split, {counted(figures['images'], 'image')} {whose} "
    return "\n\n".join(
        [
            f"{told}({code(card.evaluated.run)}, {card.checkpoint} checkpoint):",
            table(["figure", "value", "95 % interval over images"], _figures(figures)),
            own,
        ]
    )


def _figures(figures: Mapping[str, Any]) -> list[list[str]]:
    confusion = np.asarray(figures["confusion"], dtype=np.int64)
    right, images = int(confusion.trace()), int(confusion.sum())
    rows = [
        ["top-1 accuracy", percent(figures["top1"]), f"{between(wilson(right, images))} (Wilson)"],
        [
            "macro F1",
            percent(figures["macro_f1"]),
            f"{between(over_images(confusion.tolist(), macro_f1, seed=0))} (bootstrap)",
        ],
    ]
    if figures.get("top5") is not None and len(confusion) > 5:
        top5 = round(figures["top5"] * images)
        interval = f"{between(wilson(top5, images))} (Wilson)"
        rows.insert(1, ["top-5 accuracy", percent(figures["top5"]), interval])
    rows.append(["calibration error, raw", percent(figures["ece"]), ""])
    if figures.get("ece_calibrated") is not None:
        rows.append(["calibration error, with temperature", percent(figures["ece_calibrated"]), ""])
    return rows


def _limits(card: Card) -> Iterator[str]:
    """What must not be expected of it."""
    labels = card.model.summary.get("labels", {})
    if labels:
        yield (
            f"It comes from {counted(labels.get('train', 0), 'training label')} and "
            f"{counted(labels.get('validation', 0), 'validation label')}, its teachers' included."
        )
    epochs = card.model.summary.get("epochs")
    if epochs is not None and epochs < 1:
        yield (
            f"Its training was cut to {epochs:.2g} epochs: not every image was seen once. This is "
            "a trial run, and its numbers mean nothing."
        )
    yield from (f"{note.partition(':')[0]}." for note in card.notes)
    if card.evaluated is None:
        yield "How it does on images that nothing was chosen on is not known."
        return
    confusion = np.asarray(card.evaluated.figures["confusion"], dtype=np.int64)
    yield from _against_guessing(confusion)
    yield from _rare(card, confusion)
    yield from _confused(card, confusion)


def _against_guessing(confusion: np.ndarray[Any, Any]) -> Iterator[str]:
    chance = float(confusion.sum(axis=1).max() / confusion.sum())
    if wilson(int(confusion.trace()), int(confusion.sum())).low <= chance:
        yield (
            f"It is not shown to do better than always naming the most frequent class "
            f"({percent(chance)})."
        )


def _rare(card: Card, confusion: np.ndarray[Any, Any]) -> Iterator[str]:
    """Classes of which few images were tested, with what is known of their recall."""
    counts = confusion.sum(axis=1)
    absent = [card.classes[place] for place in np.flatnonzero(counts == 0)]
    if absent:
        yield f"No image was tested of {codes(absent, most=MOST_RARE)}."
    few = [place for place in np.argsort(counts, kind="stable") if 0 < counts[place] < FEW_IMAGES]
    if not few:
        return
    told = [
        f"{code(card.classes[place])} {counts[place]} (recall "
        f"{between(wilson(int(confusion[place, place]), int(counts[place])))})"
        for place in few[:MOST_RARE]
    ]
    more = f", and {len(few) - MOST_RARE} further classes" if len(few) > MOST_RARE else ""
    yield f"Fewer than {FEW_IMAGES} images were tested of: {', '.join(told)}{more}."


def _confused(card: Card, confusion: np.ndarray[Any, Any]) -> Iterator[str]:
    wrong = confusion - np.diag(confusion.diagonal())
    ranked = np.argsort(-wrong.ravel(), kind="stable")[:MOST_CONFUSED]
    pairs = [np.unravel_index(place, wrong.shape) for place in ranked]
    told = [
        f"{code(card.classes[truth])} for {code(card.classes[answer])} "
        f"({wrong[truth, answer]} of {confusion[truth].sum()})"
        for truth, answer in pairs
        if wrong[truth, answer]
    ]
    if told:
        yield f"It most often takes {', '.join(told)}."


def _training(card: Card) -> str:
    counts = ", ".join(f"{number:,} {name}" for name, number in card.splits.items() if number)
    lines = [_ancestor(one) for one in card.line]
    return "\n\n".join(
        [
            f"Images ({card.source}, pack {code(card.pack)}): {counts}.",
            bullets(lines),
        ]
    )


def _ancestor(one: Ancestor) -> str:
    start = f"{ROLES[one.role]} " if one.role else ""
    if not one.summary:
        return f"{start}{code(one.run)}, which is no longer there"
    network = one.summary.get("network", {}).get("backbone", {})
    shape = ", ".join(f"{key} {value}" for key, value in network.items() if key != "options")
    labels = one.summary.get("labels", {})
    parts = [
        f"{start}{code(one.run)}",
        f"{code(shape)}" if shape else "",
        f"{one.summary.get('steps', 0):,} steps ({one.summary.get('epochs', 0):.3g} epochs) on "
        f"{counted(one.summary.get('images', 0), 'image')}",
        f"labels up to here: {labels.get('train', 0):,} training, "
        f"{labels.get('validation', 0):,} validation",
        f"seed {one.summary.get('seed')}",
        f"version {one.summary.get('version', 'unknown')}",
    ]
    return "; ".join(part for part in parts if part)


def _pixels(card: Card) -> str:
    size = card.preparation.size
    colours = {1: "grey", 3: "R, G, B"}.get(card.channels, f"{card.channels} channels")
    steps = "\n".join(
        f"{number}. {step}" for number, step in enumerate(card.preparation.in_words(), start=1)
    )
    return (
        f"The input `image` takes uint8 [B, {size}, {size}, {card.channels}]: images, rows from "
        f"the top, columns from the left, {colours}; B is free. Division by 255 and normalisation "
        f"happen inside. From an image file to these pixels:\n\n{steps}"
    )


def _probabilities(card: Card) -> str:
    found = card.temperature
    if not found.labels:
        return (
            "`probabilities` is the softmax of `logits` (temperature 1): there was no validation "
            "label to fit a temperature on, so nothing vouches for how sure they are."
        )
    return (
        f"`probabilities` is the softmax of `logits` / {found.value:.4g}. The temperature was "
        f"fitted on {counted(found.labels, 'validation label')}, where it took the calibration "
        f"error from {percent(found.ece)} to {percent(found.ece_calibrated)}; it changes no "
        "answer and no order of answers."
    )


def _costs(card: Card) -> str:
    found = card.int8
    processor = code(str(card.machine.get("processor", "unknown")))
    instructions = ", ".join(card.machine.get("instructions", [])) or "unknown"
    where = f"{processor}, one thread, vector instructions: {instructions}"
    if found is None:
        return f"{card.file_bytes / 1000:,.0f} kB. Written and checked on {where}."
    rows = [
        _file(code(card.file), found.file_bytes_fp32, found.top1_fp32, found, fp32=True),
        _file(code(card.int8_file), found.file_bytes, found.top1, found, fp32=False),
    ]
    head = ["file", "kB", "validation", "ms, batch 1", "ms, batch 64"]
    verdict = (
        "On this machine the int8 file is recommended: it is faster and loses at most half a point."
        if not found.against
        else f"The int8 file is **not recommended**: {'; '.join(found.against)}."
    )
    return "\n\n".join(
        [
            table(head, rows),
            f"{verdict} Its ranges were measured on {counted(found.calibrated_on, 'image')} of the "
            f"training split. It gives {percent(found.agreement)} of {found.compared:,} validation "
            f"images the same class as the file in float32; accuracy is of "
            f"{counted(found.labels, 'validation label')}. Measured on {where}; elsewhere int8 may "
            "be slower or faster.",
        ]
    )


def _file(name: str, size: int, top1: float | None, found: Judgement, *, fp32: bool) -> list[str]:
    times = (
        (found.latency_ms_1_fp32, found.latency_ms_64_fp32)
        if fp32
        else (found.latency_ms_1, found.latency_ms_64)
    )
    return [name, f"{size / 1000:,.0f}", percent(top1), *(f"{time:.3g}" for time in times)]


def _licences(card: Card) -> Iterator[str]:
    foreign = [one for one in card.line if one.foreign_weights is not None]
    for one in foreign:
        name = code(one.foreign_weights or "weights without a name")
        licence = one.licence if one.licence == "unknown" else code(one.licence)
        yield f"{code(one.run)} began with {name}, whose licence is {licence}."
    if any(not one.summary for one in card.line):
        yield "A run of the line is gone, so the licence of what it began with is unknown."
    elif not foreign:
        yield "No weights of others went into it: every network began with random numbers."
    yield "The licence of the training images is not known to the program."


def _use(card: Card) -> str:
    golden = card.golden
    files = golden.get("files", 0)
    compared = f"; {counted(files, 'whole image file')}" if files else ""
    check = (
        f"    python predict.py --check    # {counted(golden['images'], 'image')}{compared}\n"
        if golden.get("images")
        else ""
    )
    told = (
        "\n\n`golden.npz` holds images of the training split: keep it back where they must not "
        "leave."
        if check
        else ""
    )
    return (
        f"    sha256sum {card.file}    # {card.sha256}\n"
        f"    python predict.py photo.jpg    # needs onnxruntime, numpy, pillow\n{check}\n"
        f"When it was written, the file answered like the trained network on "
        f"{counted(card.parity['images'], 'image')} (largest difference of two logits "
        f"{card.parity['max_difference']:.1g}).{told}"
    )
