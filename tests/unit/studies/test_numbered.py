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

    Numbered(titles, "student 18/79", "distill", after=None).begin(title, 10)

    assert titles.seen == [told]
