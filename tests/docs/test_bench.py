"""The page that keeps what the races measured."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import arena, distill, peers, plain, simclr
from bench.table import Table, shown, write_page

from understudy.objectives.selfsup.nt_xent import nt_xent


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


def test_a_race_that_is_run_alone_leaves_the_others_on_the_page(tmp_path: Path) -> None:
    page, head = tmp_path / "speed.md", ("what", "ratio")

    def raced(title: str, ratio: str) -> Table:
        return Table(title, "python -m bench.race", "how.", head, [("it", ratio)])

    write_page([raced("First", "1.00"), raced("Second", "2.00")], page)
    write_page([raced("First", "1.50")], page)
    text = page.read_text()
    write_page([raced("First", "1.50"), raced("Second", "2.00")], page)

    assert text == page.read_text()
    assert text.index("| it | 1.50 |") < text.index("## Second") < text.index("| it | 2.00 |")
    assert "1.00" not in text


@pytest.mark.slow
def test_both_sides_of_the_distillation_compute_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = arena.prepared(tmp_path, None)

    distill.must_compute_the_same(here)

    monkeypatch.setattr(arena, "SOFT_LABEL", 0.8)  # ours has read it
    with pytest.raises(AssertionError, match="not close"):
        distill.must_compute_the_same(here)
    monkeypatch.undo()
    monkeypatch.setattr(peers, "crop_and_flip", plain.supervised_views)
    with pytest.raises(AssertionError, match="views are not drawn alike"):
        distill.must_compute_the_same(here)


@pytest.mark.slow
def test_both_sides_of_simclr_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    if absent := simclr.missing():
        pytest.skip(f"lightly: {absent}")

    simclr.must_compute_the_same()

    monkeypatch.setattr(simclr, "views_of_lightly", plain.supervised_views)
    with pytest.raises(AssertionError, match="views are not drawn alike"):
        simclr.must_compute_the_same()
    monkeypatch.undo()
    monkeypatch.setattr(simclr, "nt_xent", lambda *_: 2 * nt_xent(*_))
    with pytest.raises(AssertionError, match="not close"):
        simclr.must_compute_the_same()
