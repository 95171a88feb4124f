"""Progress on a terminal."""

import io
import re

import pytest

from understudy.cli.plain_text import plain
from understudy.cli.progress import progress_on
from understudy.cli.screen import ScreenProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_a_bar_is_shown_and_what_is_done_leaves_one_line(terminal: Terminal) -> None:
    with ScreenProgress(terminal) as progress:
        progress.begin("[1 of 6] baseline", 10)
        progress.advance(5, note="loss 0.3")
        progress.say("a word [bold]between[/bold]")
        progress.end("accuracy 0.9")

    shown = plain(terminal.getvalue())
    assert "50%" in shown
    assert "a word [bold]between[/bold]" in shown
    assert re.search(r"\[1 of 6\] baseline  accuracy 0\.9  \d+ s", shown)


def test_the_cursor_comes_back_after_an_error(terminal: Terminal) -> None:
    with pytest.raises(KeyError), ScreenProgress(terminal) as progress:
        progress.begin("study", 2)
        progress.begin("train", 10)
        raise KeyError

    written = terminal.getvalue()
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def test_work_inside_work_has_its_own_bar(terminal: Terminal) -> None:
    with ScreenProgress(terminal) as progress:
        progress.begin("study", 2)
        progress.begin("train", 4)
        progress.advance(4)
        progress.end()
        progress.advance()
        progress.end()
        progress.end("once too often")

    shown = plain(terminal.getvalue())
    assert "study" in shown
    assert "train" in shown
    assert "once too often" not in shown


def test_bars_are_for_terminals_that_a_person_watches(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(progress_on(terminal), ScreenProgress)
    assert not isinstance(progress_on(io.StringIO()), ScreenProgress)

    monkeypatch.setenv("CI", "true")
    assert not isinstance(progress_on(terminal), ScreenProgress)
