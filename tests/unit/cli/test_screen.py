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


def test_all_is_told_in_eighty_columns(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a long title, and a long note."""
    monkeypatch.setenv("COLUMNS", "80")
    title, note = "[100 of 180] " + "student " * 12, "loss 2.301; study: about 12 min left"

    with ScreenProgress(terminal) as progress:
        progress.begin(title, 100)
        progress.advance(45, note=note)
        progress._view.live.refresh()
        drawn = screen(terminal)
        progress.end(note)

    assert len(drawn) == 1
    assert re.search(r"━+─+  45% [-:\d]+ loss 2\.301; study: about 12 min left$", drawn[0])
    assert max(map(len, re.split(r"\r|\n", plain_lines(terminal)))) <= 80


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_each_trial_is_one_line_and_all_of_them_have_one_bar(
    columns: int, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its beginning to its end, whatever it does."""
    monkeypatch.setenv("COLUMNS", str(columns))
    names = [f"student, elsewhere adam, expanded, fraction 0.0{n}, MobileNetV3" for n in (1, 3)]
    drawn = []

    with ScreenProgress(terminal) as progress:
        progress.begin("simclr-s2: 222 runs", 222)
        trials = [progress.beside(name) for name in names]
        drawn.append(look(progress))
        for piece in ("bank", "distill"):
            trials[0].begin(f"{names[0]}: {piece}", 100)
            trials[0].advance(45, note="loss 2.301")
            drawn.append(look(progress))
            trials[0].end()
            drawn.append(look(progress))
        trials[1].begin(f"{names[1]}: finetune", 10)
        progress.advance(17, note="about 12 min left")
        drawn.append(look(progress))
        trials[0].clear()
        drawn.append(look(progress))

    assert [len(lines) for lines in drawn] == [3, 3, 3, 3, 3, 3, 2]
    assert all(len(line) <= columns for lines in drawn for line in lines)
    assert all(re.match("simclr-s2: 222 runs [━─]{10}", lines[-1]) for lines in drawn[-2:])
    assert all(lines[-1].endswith(" 17 of 222, about 12 min left") for lines in drawn[-2:])
    assert drawn[3][0].endswith("loss 2.301")
    assert re.search(r": di\S+ll +45% +[-:\d]+ loss", drawn[3][0])
    assert drawn[5][1].startswith("st"), "the other one keeps its place"


def test_a_line_is_taken_away_that_looks_like_another(terminal: Terminal) -> None:
    with ScreenProgress(terminal) as progress:
        progress.begin("study", 2)
        first, second = progress.beside("same"), progress.beside("same")
        second.clear()
        first.begin("same: train", 4)
        drawn = look(progress)

    assert len(drawn) == 2
    assert drawn[0].startswith("same: train")


def test_a_terminal_without_lines_gets_other_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(file, "isatty", lambda: True)

    with ScreenProgress(file) as progress:
        progress.begin("a title that is too long for forty columns", 4)
        progress.advance(2)
        progress._view.live.refresh()
        progress.end()
    file.flush()

    written = file.buffer.getvalue()
    assert b"=====" in written
    assert b"-----" in written
    assert b"~" in written


def test_what_is_said_goes_on_between_words_and_a_path_stays_whole(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    path = "/a/very/long/path/" + "of-many-characters/" * 3

    with ScreenProgress(terminal) as progress:
        progress.say("pixels " * 10 + path)
        progress.say("  two\nlines, the first indented")

    said = plain_lines(terminal).splitlines()
    assert [line.rstrip() for line in said] == [
        " ".join(["pixels"] * 5),
        "  " + " ".join(["pixels"] * 5),
        f"  {path}",
        "  two",
        "lines, the first indented",
    ]


def look(progress: ScreenProgress) -> list[str]:
    """What is drawn now, line by line."""
    progress._view.live.refresh()
    terminal = progress._view.console.file
    assert isinstance(terminal, Terminal)
    return screen(terminal)


def screen(terminal: Terminal) -> list[str]:
    """The last picture."""
    last = re.split(r"\x1b\[2K(?:\x1b\[1A\x1b\[2K)*", terminal.getvalue())[-1]
    return [line.rstrip() for line in CODES.sub("", last).replace("\r", "").splitlines() if line]


CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def plain_lines(terminal: Terminal) -> str:
    return CODES.sub("", terminal.getvalue())


def test_a_name_cannot_paint_over_the_bars(terminal: Terminal) -> None:
    with ScreenProgress(terminal) as progress:
        progress.begin(f"title {HOSTILE}", 2)
        progress.advance(note=f"note {HOSTILE}")
        progress.say(f"line {HOSTILE}")
        progress.warn(f"warning {HOSTILE}")
        progress._view.live.refresh()
        progress.end(f"end {HOSTILE}")

    shown = terminal.getvalue()
    for part in ("title", "note", "line", "warning", "end"):
        assert f"{part} cleared" in shown
    assert "\x1b[2J" not in shown
    assert "\x1b]" not in shown
