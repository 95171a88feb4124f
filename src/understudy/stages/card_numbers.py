"""What a model card says of the model's answers: its numbers, and what must not be expected."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from understudy.core.leaks import SIGN, told, told_of_seen
from understudy.evaluation.intervals import macro_f1, over_images, wilson
from understudy.stages.card import Card, Evaluated
from understudy.stages.card_text import between, code, codes, counted, percent, table

MOST_CONFUSED = 3  # pairs of classes that are told
MOST_RARE = 5  # classes with the fewest test images that are told
FEW_IMAGES = 100  # of a class: below, its recall is known to about ten points at best


def numbers(card: Card) -> str:
    """The figures of the evaluation with their intervals, and what validation said."""
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
    return "\n\n".join(
        [
            _of_what(card.evaluated, card.checkpoint),
            table(["figure", "value", "95 % interval over images"], _figures(card.evaluated)),
            *_leaks(card.evaluated),
            own,
        ]
    )


def _of_what(evaluated: Evaluated, checkpoint: str) -> str:
    """Which images the figures come from, and what is known of them."""
    if evaluated.split != "test":
        whose = " that may have chosen its checkpoint and its temperature, so that they flatter it"
    elif evaluated.leaked or evaluated.seen:
        whose = ""
    else:
        whose = " that nothing was trained, chosen or calibrated on"
    images = counted(evaluated.figures["images"], "image")
    return (
        f"On the {evaluated.split} split, {images}{whose} ({code(evaluated.run)}, {checkpoint} "
        "checkpoint):"
    )


def _leaks(evaluated: Evaluated) -> Iterator[str]:
    if evaluated.leaked:
        yield told(evaluated.leaked, evaluated.figures["images"], split=evaluated.split)
    if evaluated.seen:
        yield told_of_seen(
            evaluated.seen, evaluated.figures["images"], "this model", split=evaluated.split
        )


def _mark(evaluated: Evaluated) -> str:
    return SIGN if evaluated.leaked or evaluated.seen else ""


def _figures(evaluated: Evaluated) -> list[list[str]]:
    figures, mark = evaluated.figures, _mark(evaluated)

    def row(name: str, share: float, interval: str = "") -> list[str]:
        return [name, percent(share) + mark, interval]

    confusion = np.asarray(figures["confusion"], dtype=np.int64)
    right, images = int(confusion.trace()), int(confusion.sum())
    drawn = over_images(confusion.tolist(), macro_f1, seed=0)
    rows = [row("top-1 accuracy", figures["top1"], f"{between(wilson(right, images))} (Wilson)")]
    if figures.get("top5") is not None and len(confusion) > 5:
        top5 = wilson(round(figures["top5"] * images), images)
        rows.append(row("top-5 accuracy", figures["top5"], f"{between(top5)} (Wilson)"))
    rows.append(row("macro F1", figures["macro_f1"], f"{between(drawn)} (bootstrap)"))
    rows.append(row("calibration error, raw", figures["ece"]))
    if figures.get("ece_calibrated") is not None:
        rows.append(row("calibration error, with temperature", figures["ece_calibrated"]))
    return rows


def limits(card: Card) -> Iterator[str]:
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
    mark = _mark(card.evaluated)
    yield from _rare(card, confusion, mark)
    yield from _confused(card, confusion, mark)


def _against_guessing(confusion: np.ndarray[Any, Any]) -> Iterator[str]:
    chance = float(confusion.sum(axis=1).max() / confusion.sum())
    if wilson(int(confusion.trace()), int(confusion.sum())).low <= chance:
        yield (
            f"It is not shown to do better than always naming the most frequent class "
            f"({percent(chance)})."
        )


def _rare(card: Card, confusion: np.ndarray[Any, Any], mark: str) -> Iterator[str]:
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
        f"{between(wilson(int(confusion[place, place]), int(counts[place])))}{mark})"
        for place in few[:MOST_RARE]
    ]
    more = f", and {len(few) - MOST_RARE} further classes" if len(few) > MOST_RARE else ""
    yield f"Fewer than {FEW_IMAGES} images were tested of: {', '.join(told)}{more}."


def _confused(card: Card, confusion: np.ndarray[Any, Any], mark: str) -> Iterator[str]:
    wrong = confusion - np.diag(confusion.diagonal())
    ranked = np.argsort(-wrong.ravel(), kind="stable")[:MOST_CONFUSED]
    pairs = [np.unravel_index(place, wrong.shape) for place in ranked]
    told = [
        f"{code(card.classes[truth])} for {code(card.classes[answer])} "
        f"({wrong[truth, answer]} of {confusion[truth].sum()}{mark})"
        for truth, answer in pairs
        if wrong[truth, answer]
    ]
    if told:
        yield f"It most often takes {', '.join(told)}."
