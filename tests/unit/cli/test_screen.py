"""Progress on a terminal."""

import io
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress

import pytest

from understudy.cli.plain_text import plain
from understudy.cli.progress import progress_on
from understudy.cli.screen import ScreenProgress

HOSTILE = "\x1b[2Jcleared \x1b]0;title\x07"


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


def test_the_cursor_comes_back_when_a_second_signal_ends_the_process() -> None:
    program = (
        "import os, signal, sys\n"
        "from understudy.cli.progress import interrupts_beside, progress_on\n"
        "with progress_on(sys.stderr) as progress:\n"
        "    interrupts = interrupts_beside(progress)\n"
        "    with interrupts.listening(), interrupts.deferred():\n"
        "        progress.begin('train', 10)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        sys.stderr.write('still here')\n"
    )
    outside, terminal = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stderr=terminal,
        env={**environment, "TERM": "xterm-256color"},
    )
    os.close(terminal)
    written = b""
    with open(outside, "rb", buffering=0) as stream, suppress(OSError):  # EIO: its end is closed
        while part := stream.read(4096):
            written += part

    assert process.wait() == 130
    assert b"still here" not in written
    assert written.rindex(b"\x1b[?25h") > written.rindex(b"\x1b[?25l")


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


def test_the_bar_keeps_its_time_in_eighty_columns(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a long title, and a note that also tells the time of the whole study."""
    monkeypatch.setenv("COLUMNS", "80")
    title, note = "[100 of 180] " + "student " * 12, "loss 2.301; study: about 12 min left"

    with ScreenProgress(terminal) as progress:
        progress.begin(title, 100)
        progress.advance(45, note=note)
        progress._bars.refresh()

    lines = re.split(r"\r|\n", plain_lines(terminal))
    assert any(re.search(r"45% [-:\d]+ loss 2\.301; study: about 12 min left$", x) for x in lines)
    assert max(map(len, lines)) <= 80


def plain_lines(terminal: Terminal) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())


def test_a_name_cannot_paint_over_the_bars(terminal: Terminal) -> None:
    with ScreenProgress(terminal) as progress:
        progress.begin(f"title {HOSTILE}", 2)
        progress.advance(note=f"note {HOSTILE}")
        progress.say(f"line {HOSTILE}")
        progress.warn(f"warning {HOSTILE}")
        progress._bars.refresh()
        progress.end(f"end {HOSTILE}")

    shown = terminal.getvalue()
    for part in ("title", "note", "line", "warning", "end"):
        assert f"{part} cleared" in shown
    assert "\x1b[2J" not in shown
    assert "\x1b]" not in shown
