"""Progress in a pipe."""

import io

from understudy.cli.log_lines import LineProgress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_at_most_every_ten_seconds_and_one_at_the_end() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)

    progress.begin("train", 100)
    for _ in range(100):
        clock.now += 0.25
        progress.advance(note="loss 0.5")
    progress.end("accuracy 0.9")

    assert stream.getvalue().splitlines() == [
        "train: 40 of 100 (40 %), 15 s left, loss 0.5",
        "train: 80 of 100 (80 %), 5 s left, loss 0.5",
        "train: done in 25 s, accuracy 0.9",
    ]


def test_work_inside_work_is_told_by_its_own_title() -> None:
    stream = io.StringIO()
    progress = LineProgress(stream, Clock())

    progress.begin("study", 2)
    progress.begin("pack", 5)
    progress.end()
    progress.advance()
    progress.end("two runs")

    assert stream.getvalue() == "pack: done in 0 s\nstudy: done in 0 s, two runs\n"


def test_a_total_that_was_a_guess_is_no_error() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)

    for total in (0, 3):
        progress.begin("scan", total)
        clock.now += 11
        progress.advance(5)
        progress.end()

    assert stream.getvalue().splitlines()[::2] == ["scan: 5 of 0", "scan: 5 of 3"]


def test_what_was_not_begun_is_neither_advanced_nor_ended() -> None:
    stream = io.StringIO()
    progress = LineProgress(stream, Clock())

    progress.advance()
    progress.end()

    assert stream.getvalue() == ""


def test_lines_are_plain() -> None:
    stream = io.StringIO()
    progress = LineProgress(stream, Clock())

    progress.say("a \x1b[31mred\x1b[0m word")
    progress.begin("two\nlines", 1)
    progress.end("more\x07")

    assert stream.getvalue() == "a red word\ntwo lines: done in 0 s, more\n"


def test_what_an_earlier_attempt_did_says_nothing_of_the_time_that_is_left() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)

    progress.begin("train", 1000)
    progress.advance(900)
    for _ in range(10):
        clock.now += 1
        progress.advance()

    assert stream.getvalue() == "train: 910 of 1,000 (91 %), 1 min 30 s left\n"
