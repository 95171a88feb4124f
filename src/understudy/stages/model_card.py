"""The README.md beside an exported file: every sentence and number of it computed."""

from collections.abc import Iterator

from understudy.core.depth import white
from understudy.stages.card import Card
from understudy.stages.card_numbers import limits, numbers
from understudy.stages.card_text import bullets, code, codes, counted, percent, table
from understudy.stages.lineage import ROLES, Ancestor
from understudy.stages.quantising import Judgement


def written(card: Card) -> str:
    """The page, in Markdown."""
    sections = {
        "What it tells apart": _classes(card),
        "Numbers": numbers(card),
        "Limits": bullets(list(limits(card))),
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
    steps, seed = one.summary.get("steps", 0), one.summary.get("seed")
    parts = [
        f"{start}{code(one.run)}",
        f"{code(shape)}" if shape else "",
        _reused(one),
        _stored(one),
        f"{steps:,} steps ({one.summary.get('epochs', 0):.3g} epochs) on "
        f"{counted(one.summary.get('images', 0), 'image')}"
        if steps
        else "trained for no step",
        f"labels up to here: {labels.get('train', 0):,} training, "
        f"{labels.get('validation', 0):,} validation",
        "" if seed is None else f"seed {seed}",
        f"version {one.summary.get('version', 'unknown')}",
    ]
    return "; ".join(part for part in parts if part)


def _reused(one: Ancestor) -> str:
    """What it has beside a network of its backbone alone; "" where that is nothing."""
    parts = one.summary.get("parts", {})
    if "neck" not in parts:
        return ""
    return (
        f"answers through its teacher's classifier: {parts['neck']:,} of its "
        f"{one.summary['parameters']:,} parameters lead to it, and {parts['classifier']:,} are the "
        "classifier's own"
    )


def _stored(one: Ancestor) -> str:
    """What it learned from that no run of ours answered; "" where there is nothing."""
    told = one.summary.get("answers")
    if told is None:
        return ""
    return (
        f"learned from answers stored in {code(told['file'])} (SHA-256 {told['sha256'][:12]}), of "
        "which nothing more is known"
    )


def _pixels(card: Card) -> str:
    size = card.preparation.size
    colours = (
        f"the bands {codes(card.bands)}"
        if card.bands
        else {1: "grey", 3: "R, G, B"}.get(card.channels, f"{card.channels} channels")
    )
    steps = "\n".join(
        f"{number}. {step}" for number, step in enumerate(card.preparation.in_words(), start=1)
    )
    return (
        f"The input `image` takes {card.depth} [B, {size}, {size}, {card.channels}]: images, rows "
        f"from the top, columns from the left, {colours}; B is free. Division by "
        f"{white(card.depth)} and normalisation happen inside. "
        f"From an image file to these pixels:\n\n{steps}"
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
        "On this machine the int8 file is recommended: it is faster at both batches, and its "
        "accuracy holds to half a point."
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


def _asks(card: Card) -> str:
    if card.bands:
        image = "FOLDER   " if card.preparation.apart else "image.tif"
        return f"python predict.py {image}    # needs onnxruntime, numpy, pillow, tifffile"
    return "python predict.py photo.jpg    # needs onnxruntime, numpy, pillow"


def _use(card: Card) -> str:
    golden = card.golden
    files = golden.get("files", 0)
    compared = f"; {counted(files, 'whole image file')}" if files else ""
    check = (
        f"    python check.py             # {counted(golden['images'], 'image')}{compared}\n"
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
        f"    {_asks(card)}\n{check}\n"
        f"When it was written, the file answered like the trained network on "
        f"{counted(card.parity['images'], 'image')} (largest difference of two logits "
        f"{card.parity['max_difference']:.1g}).{told}"
    )
