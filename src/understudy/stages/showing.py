"""Images with answers, written into a run for reports to show: `examples/<model>.json`."""

from base64 import b64encode
from typing import Any

from understudy.core.files import make_folder, write_json
from understudy.core.run import Run
from understudy.data.pack import Pack
from understudy.data.thumbnails import thumbnail
from understudy.evaluation.examples import Answer, Example, examples
from understudy.evaluation.predict import Predictions


def write_examples(
    run: Run, name: str, answers: Predictions, teacher: Predictions | None, pack: Pack
) -> str:
    """Writes what the classifier answers to its most telling images, with small pictures.

    About 100 kB at most: 48 pictures of 2 kB.

    Args:
        run: Where to.
        name: The file's, without its suffix.
        answers: The classifier's.
        teacher: Its teacher's to the same images, or None.
        pack: The images.

    Returns:
        The file, from the run's folder.
    """
    chosen = examples(
        answers.logits,
        pack.labels[answers.index],
        teacher=None if teacher is None else teacher.logits,
    )
    told = [_told(one, int(answers.index[one.row]), pack) for one in chosen]
    write_json(make_folder(run.path / "examples") / f"{name}.json", told)
    return f"examples/{name}.json"


def _told(example: Example, position: int, pack: Pack) -> dict[str, Any]:
    return {
        "image": pack.names[position],
        "why": example.why,
        "class": pack.classes[example.label],
        "probability_of_class": example.of_label,
        **_answered(example.answer, pack),
        "teacher": None if example.teacher is None else _answered(example.teacher, pack),
        "webp": b64encode(thumbnail(pack.images[position], bands=pack.bands)).decode(),
    }


def _answered(answer: Answer, pack: Pack) -> dict[str, Any]:
    return {"answer": pack.classes[answer.place], "probability": answer.probability}
