"""The page that keeps what the races measured."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.table import Table, shown, write_page


def test_a_race_is_shown_while_it_runs_and_kept_as_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen_before_the_last = []

    def rows() -> Iterator[tuple[str, ...]]:
        yield "first", "2.00"
        seen_before_the_last.append(capsys.readouterr().out)
        yield "second", "0.50"

    page = tmp_path / "speed.md"
    measured = shown(Table("Race", "python -m bench.race", "how.", ("what", "ratio"), rows()))
    write_page([measured], page)

    assert "first" in seen_before_the_last[0]
    text = page.read_text()
    assert "| what | ratio |\n| --- | --- |\n| first | 2.00 |\n| second | 0.50 |\n" in text
    assert "`python -m bench.race`: how." in text
    assert str(Path.home()) not in text
