"""`understudy predict`: what models say of image files, on the screen and as rows."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import one_line, plain, wrapped
from understudy.cli.progress import progress_on
from understudy.core.csv_cells import cell
from understudy.core.files import make_folder, write_text

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
    scale: float | None,
    loudness: Loudness,
) -> int:
    """Asks a model, and perhaps its teacher, about images.

    Raises:
        UnderstudyError: The model or a place does not serve; also, after all answers were given,
            where some image could not be read.
    """
    with progress_on(sys.stderr, loudness) as progress:
        said = verbs.predicted(
            model, places, top=top, teacher=teacher, scale=scale, progress=progress
        )
    found = said.answers
    names = [one_line(name) for name in said.models]
    answered = [answer for answer in found if not answer.problem]
    column = max((len(one_line(answer.image)) for answer in answered), default=0)
    for answer in answered:
        print("\n".join(_lines(answer, names, column=min(column, MOST_NAME))))
    if rows:
        make_folder(rows.parent)
        write_text(rows, _table(found, names))
        print(plain(f"Rows: {rows}"))
    if said.error:
        raise said.error
    return 0


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
