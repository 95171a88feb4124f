"""The progress of one run of a study, under the study's own title."""

import pytest

from understudy.core.progress import Silent
from understudy.studies.numbered import Numbered


class Titles(Silent):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def begin(self, title: str, total: int) -> None:  # noqa: ARG002
        self.seen.append(title)


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("distill student-1f", "student 18/79: distill"),
        ("bank: asking the teacher", "student 18/79: bank"),
    ],
)
def test_a_piece_of_work_is_called_by_one_word_behind_one_colon(title: str, told: str) -> None:
    titles = Titles()

    shown = Numbered(titles, "student 18/79", "distill", after=None, is_alone=True)
    shown.begin(title, 10)

    assert titles.seen == [told]


class Lines(Silent):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def say(self, text: str) -> None:
        self.seen.append(text)

    def detail(self, text: str) -> None:
        self.seen.append(text)


@pytest.mark.parametrize(
    ("is_alone", "told"),
    [(True, "machine: fp32"), (False, "[2 of 4] student, seed 1: machine: fp32")],
)
def test_a_line_says_whose_it_is_where_it_might_be_anothers(is_alone: bool, told: str) -> None:
    lines = Lines()
    shown = Numbered(lines, "[2 of 4] student, seed 1", "train", after=None, is_alone=is_alone)

    shown.say("machine: fp32")
    shown.warn("machine: fp32")
    shown.detail("machine: fp32")

    assert lines.seen == [told] * 3


def test_a_note_is_heard_with_the_time_that_is_left() -> None:
    heard: list[float | None] = []
    shown = Numbered(
        Silent(),
        "student",
        "train",
        after=None,
        is_alone=False,
        noted=lambda: heard.append(shown.seconds_left),
    )
    assert shown.seconds_left is None

    shown.begin("train student", 4)
    shown.advance()
    shown.advance()
    shown.advance(0, "loss 0.3")

    assert len(heard) == 1
    assert heard[0] is not None
    shown.begin("bank: asking", 4)
    assert shown.seconds_left is None, "a preparation says nothing of the run"
