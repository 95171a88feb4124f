"""The progress of one run of a study, under the study's own title."""

from collections.abc import Callable

from understudy.core.pace import Pace
from understudy.core.progress import Progress
from understudy.studies.remaining import about


class Numbered:
    """Shows each piece of work under the study's own title of its run.

    Args:
        progress: Where to show it.
        title: Of the run.
        stage: Which piece of work is the run itself; others are preparations.
        after: Seconds of all runs after this one, where that is known.
        is_alone: Whether no other run is done at the same time, whose lines these might be.
        noted: Called with every note, when the time that is left may have changed.
    """

    def __init__(
        self,
        progress: Progress,
        title: str,
        stage: str,
        *,
        after: float | None,
        is_alone: bool,
        noted: Callable[[], None] = lambda: None,
    ) -> None:
        self.progress, self.title, self.stage, self.after = progress, title, stage, after
        self.is_alone, self.noted = is_alone, noted
        self.has_bars = progress.has_bars
        self._run: Pace | None = None

    @property
    def seconds_left(self) -> float | None:
        """Of the run itself; None before it has a pace."""
        return self._run.seconds_left if self._run else None

    def begin(self, title: str, total: int) -> None:
        """Starts a piece of work, called by the first word of its title: `distill`, `bank`."""
        first = title.split(" ")[0].rstrip(":")
        self._run = Pace(total) if first == self.stage else None
        self.progress.begin(f"{self.title}: {first}", total)

    def advance(self, count: int = 1, note: str = "") -> None:
        """Reports units done; a note also says how long the whole study will still take."""
        if self._run:
            self._run.advance(count)
        own = self.seconds_left
        known = note and own is not None and self.after is not None
        self.progress.advance(count, self._with_rest(note, own or 0.0) if known else note)
        if note:
            self.noted()

    def end(self, note: str = "") -> None:
        """Closes the piece of work."""
        known = self._run and self.after is not None
        self._run = None
        self.progress.end(self._with_rest(note, 0.0) if known else note)

    def _with_rest(self, note: str, own: float) -> str:
        return f"{note}; study: {about(own + (self.after or 0.0))} left"

    def say(self, text: str) -> None:
        """Shows one line."""
        self.progress.say(self._headed(text))

    def warn(self, text: str) -> None:
        """Shows one line, also to a person who asked for quiet."""
        self.progress.warn(self._headed(text))

    def detail(self, text: str) -> None:
        """Shows lines to a person who asked for all."""
        self.progress.detail(self._headed(text))

    def _headed(self, text: str) -> str:
        return text if self.is_alone else f"{self.title}: {text}"

    def beside(self, title: str = "") -> "Numbered":
        """Work at the same time, under the same title."""
        return Numbered(
            self.progress.beside(title),
            self.title,
            self.stage,
            after=self.after,
            is_alone=self.is_alone,
        )

    def clear(self) -> None:
        """Takes away what has not ended."""
        self._run = None
        self.progress.clear()
