"""Text made safe for a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.cli.plain_text import duration, one_line, plain, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jclear", "clear"),
        ("\x1bP1$r\x1b\\after", "after"),
        ("a\x08\x00b\x7f", "ab"),
        ("over\rwritten", "overwritten"),
        ("\u202egnp.exe", "gnp.exe"),
        ("two\nlines\tand [brackets] ü ✓", "two\nlines\tand [brackets] ü ✓"),
    ],
)
def test_nothing_that_moves_the_cursor_is_left(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_plain_text_stays_plain(text: str) -> None:
    once = plain(text)

    assert plain(once) == once
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in once)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"])))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert plain(text) == text


def test_one_line_is_one_line() -> None:
    assert one_line("a\n b\t\x1b[1mc\n") == "a b c"


def test_wrapped_lines_keep_their_width_unless_a_word_is_longer() -> None:
    lines = wrapped("word " * 50, first="* ", indent="  ", width=30)

    assert lines[0].startswith("* word")
    assert all(line.startswith("  word") and len(line) <= 30 for line in lines[1:])
    assert wrapped("/a/very/long/path", indent="", width=5) == ["/a/very/long/path"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
    ],
)
def test_a_time_has_its_two_largest_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
