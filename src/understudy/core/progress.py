"""What a long piece of work tells the person who waits for it."""

from typing import Protocol, Self


class Progress(Protocol):
    """Anything that can show how far a piece of work is."""

    has_bars: bool
    """Whether lines move on a screen; else lines stay, and each has to tell the whole."""

    def begin(self, title: str, total: int) -> None:
        """Starts a piece of work of `total` units."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Reports `count` further units done; `note` is shown beside them."""

    def end(self, note: str = "") -> None:
        """Closes the piece of work; `note` says how it ended."""

    def say(self, text: str) -> None:
        """Shows one line that stays."""

    def warn(self, text: str) -> None:
        """Shows one line that stays, also to a person who asked for quiet."""

    def detail(self, text: str) -> None:
        """Shows lines that stay, to a person who asked for all of them."""

    def beside(self, title: str = "") -> "Progress":
        """A place in the same view, under a title, for work that goes on at the same time."""

    def clear(self) -> None:
        """Takes away what is shown of work that has not ended, because it failed."""


class Silent:
    """Shows nothing."""

    has_bars = False

    def begin(self, title: str, total: int) -> None:
        """Shows nothing."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Shows nothing."""

    def end(self, note: str = "") -> None:
        """Shows nothing."""

    def say(self, text: str) -> None:
        """Shows nothing."""

    def warn(self, text: str) -> None:
        """Shows what `say` shows."""
        self.say(text)

    def detail(self, text: str) -> None:
        """Shows nothing."""

    def beside(self, title: str = "") -> Self:  # noqa: ARG002 - the protocol
        """Shows nothing either."""
        return self

    def clear(self) -> None:
        """Has nothing to take away."""
