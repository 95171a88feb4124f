"""The progress of all runs of a study, beside those that are under way."""

from types import TracebackType
from typing import Self

from understudy.core.progress import Progress
from understudy.studies.remaining import about


class Whole:
    """Shows how many runs have ended, and how long the others will take.

    Args:
        progress: Where to show it.
        title: Of the study.
        total: How many runs it has.
    """

    def __init__(self, progress: Progress, title: str, total: int) -> None:
        self._progress, self._title, self._total = progress, title, total
        self._is_shown = False

    def advance(self, seconds: float | None) -> None:
        """One run has ended.

        Args:
            seconds: How long the others will take, where that is known.
        """
        if self._is_shown:
            self._progress.advance(1, "" if seconds is None else f"{about(seconds)} left")

    def expect(self, seconds: float | None) -> None:
        """The others will take so long; told where a line can change."""
        if self._is_shown and seconds is not None and self._progress.has_bars:
            self._progress.advance(0, f"{about(seconds)} left")

    def __enter__(self) -> Self:
        self._progress.begin(self._title, self._total)
        self._is_shown = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves a line where all went its way."""
        if kind:
            self._progress.clear()
        else:
            self._progress.end()
