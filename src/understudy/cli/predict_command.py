"""`understudy predict`: what models say of image files, on the screen and as rows."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import one_line, plain, wrapped
from understudy.cli.progress import progress_on
from understudy.core.csv_cells import cell
from understudy.core.errors import UsageError
from understudy.core.files import make_folder, write_text
from understudy.results.records import read_study

if TYPE_CHECKING:
    from understudy.stages.predict import Answer

MOST_NAME = 30  # columns that an image's name may take; of a longer one the end is shown


def predict_command(
    model: Path,
    places: Sequence[Path],
    *,
    top: int,
    rows: Path | None,
    teacher: bool,
    loudness: Loudness,
) -> int:
    """Asks a model, and perhaps its teacher, about images.

    Raises:
        UnderstudyError: The model or a place does not serve; also, after all answers were given,
            where some image could not be read.
    """
    if top < 1:
        raise UsageError(f"--top = {top}: must be 1 or more.")
    if not places:
        raise UsageError("name at least one image or folder of images behind the model.")
    model = _exported_of(model)

    from understudy.data.sources.named import named_images
    from understudy.stages import predict  # only now: it brings torch

    images, ignored = named_images(places)
    student = predict.asked(model)
    models = predict.with_teacher(student) if teacher else (student,)
    with progress_on(sys.stderr, loudness) as progress:
        for note in [one.note for one in models if one.note]:
            progress.say(note)
        for reason, count in ignored.items():
            progress.say(f"left out {count:,} x {reason}")
        found = list(predict.answers(models, images, top=top, progress=progress))

    names = [one_line(one.name) for one in models]
    answered = [answer for answer in found if not answer.problem]
    column = max((len(one_line(answer.image)) for answer in answered), default=0)
    for answer in answered:
        print("\n".join(_lines(answer, names, column=min(column, MOST_NAME))))
    if rows:
        make_folder(rows.parent)
        write_text(rows, _table(found, names))
        print(plain(f"Rows: {rows}"))
    if error := predict.refused(found):
        raise error
    return 0


def _exported_of(place: Path) -> Path:
    """The model that a study exported, where the place is a study's folder; else the place itself.

    Raises:
        UsageError: The study exported none, or several.
    """
    if not (place / "study.json").exists():
        return place
    found = [entry.run.path for entry in read_study(place).having("file")]
    if len(found) == 1:
        return found[0]
    listed = "".join(f"\n  {path}" for path in found)
    raise UsageError(
        f"{place}: this study exported {len(found) or 'no'} models. "
        + (f"Name one of them:{listed}" if found else "Name a finished training instead.")
    )


def _lines(answer: "Answer", names: Sequence[str], *, column: int) -> list[str]:
    """One image: on one line where one model answers, behind the end of a long name."""
    image = one_line(answer.image)
    texts = [
        "  ".join(f"{one_line(name)} {100 * share:.1f} %" for name, share in shares)
        for shares in answer.shares
    ]
    if len(texts) == 1:
        image = image if len(image) <= column else f"...{image[3 - column :]}"
        return wrapped(texts[0], first=f"{image:<{column}}  ", indent=" " * (column + 2))
    space = max(map(len, names))
    lines = [image]
    for name, text in zip(names, texts, strict=True):
        first = f"  {name:<{space}}  "
        lines += wrapped(text, first=first, indent=" " * len(first))
    return lines


def _table(answers: Sequence["Answer"], names: Sequence[str]) -> str:
    """Every image as a row, also those without an answer, whose last cell says why."""
    ranks = range(1, 1 + max((len(one) for found in answers for one in found.shares), default=0))
    heads = names if len(names) > 1 else [""]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = [
        f"{head}_{word}_{rank}".lstrip("_")
        for head in heads
        for rank in ranks
        for word in ("class", "probability")
    ]
    writer.writerow([cell(head) for head in ("image", *columns, "problem")])
    for answer in answers:
        values = [cell(value) for shares in answer.shares for pair in shares for value in pair]
        values = values or [""] * len(columns)
        writer.writerow([cell(answer.image), *values, cell(answer.problem)])
    return stream.getvalue()
