"""What a study can be told: its parameters, scales and seeds, with the values they have."""

from collections.abc import Iterator, Sequence

from understudy.cli.plain_text import plain, wrapped
from understudy.core.overrides import written
from understudy.core.wording import named
from understudy.studies.configure import with_words
from understudy.studies.parameters import leaves, unknown
from understudy.studies.study import Study, read_study


def study_help(asked: str, words: Sequence[str]) -> str:
    """Every parameter of a study in 79 columns, as the word that would give it its value.

    Raises:
        UsageError: There is no such study, or one of the `words` to apply is wrong.
    """
    return plain("\n".join(_lines(with_words(read_study(asked), words))))


def _lines(study: Study) -> Iterator[str]:
    yield f"{study.name}: {study.title}" if study.title else study.name
    yield ""
    yield "Its parameters and their values, changed by `key=value` words:"
    yield ""
    values = dict(leaves(study.parameters))
    unread = unknown(values, study.parameters, study.read)  # of a study that it extends
    for word in written({key: value for key, value in values.items() if key not in unread}):
        yield from wrapped(word, first="  ", indent="      ")
    yield f"  seeds={','.join(map(str, study.seeds))}"
    for axis, choices in study.axes.items():
        told = f"{axis}=NAME,...  of {', '.join(map(named, choices))}"
        yield from wrapped(told, first="  ", indent="      ")
    for scale, changes in study.scales.items():
        told = f"scale={scale}  {changes.get('reduced', '')}"
        yield from wrapped(told, first="  ", indent="      ")
    yield "  machine.*  what stages compute with, as `understudy train --help` has it"


def changed(study: Study) -> list[str]:
    """The words that made the study another than its file says, in 79 columns; or no line."""
    words = ", ".join(written(study.changed))
    return wrapped(plain(words), first="with ", indent="     ") if words else []
