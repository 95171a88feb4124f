import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from understudy.cli.plain_text import plain
from understudy.results.find import find
from understudy.results.screen import show


def printed(path: Path, *, width: int = 80, terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, legacy_windows=False)
    show(find(path), console)
    return stream.getvalue()


def test_eighty_columns_hold_every_figure_of_the_main_table(study: Path) -> None:
    lines = printed(study).splitlines()

    assert max(map(len, lines)) <= 80
    assert re.findall(r"\S+", lines[3]) == [
        *("baseline", "last", "78", "k", "600", "900", "46.6", "45.6", "±", "0.5", "3", "45.1"),
        *("7.1", "–", "0.31"),
    ]
    assert re.findall(r"\S+", lines[7])[:2] == ["student", "last"]
    assert "53.4 ± 0.5" in lines[7]
    assert "…" not in "".join(lines)


def test_large_figures_and_long_names_fit_without_being_cut(tree: Any) -> None:
    name = "student-with-a-name-that-is-far-too-long-for-a-column"
    for seed in (1, 2):
        axes = {"method": "relation-knowledge", "depth": 110}
        tree.train(
            name,
            seed,
            steps=1_562_500,
            stage="distill",
            axes=axes,
            summary={"labels": {"train": 1_281_167, "validation": 50_000}},
        )
    tree.train("other", 1, stage="train", axes={"method": "none", "depth": 8})

    text = printed(tree.study())

    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    head, *rows = text.splitlines()[2:]
    column = head.index("method")
    assert name in "".join(row[:column].strip() for row in rows)


@pytest.mark.parametrize("width", range(30, 90, 3))
def test_sentences_keep_a_number_and_its_percent_on_one_line(study: Path, width: int) -> None:
    lines = printed(study, width=width).splitlines()

    assert not [line for line in lines if line.startswith("%")]
    assert max(map(len, lines)) <= width
    assert "answers like its teacher on 81.0 % of the test images" in " ".join(lines)


def test_a_narrow_terminal_leaves_columns_out_before_it_cuts_figures(study: Path) -> None:
    text = printed(study, width=44)

    assert max(map(len, text.splitlines())) <= 44
    assert "53.4 ± 0.5" in text
    assert "ECE%" not in text


def test_a_pipe_gets_no_escape_sequences_and_a_terminal_does(study: Path) -> None:
    assert "\x1b" not in printed(study)
    assert "\x1b[" in printed(study, terminal=True)


def test_names_cannot_steer_the_terminal_or_use_markup(tree: Any) -> None:
    tree.train("\x1b[31mred\x07", 1, stage="train")
    tree.train("[bold]bold[/bold]", 1, stage="train")

    text = printed(tree.study(title="\x1b]0;owned\x07title"))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]" in text.replace("\n", "")


def test_one_seed_is_shown_without_spread(run_main_job: Any) -> None:
    tree = run_main_job(seeds=(1,))

    text = printed(tree.study())

    assert "±" not in text
    assert "53.0" in text


def test_a_terminal_without_unicode_gets_ascii(study: Path) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")

    show(find(study), Console(file=stream, width=80))

    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")
    assert "53.4 +- 0.5" in text
    assert max(map(len, text.splitlines())) <= 80


def test_many_settings_show_their_last_checkpoints(tree: Any) -> None:
    for depth in range(12):
        tree.train("student", 1, axes={"depth": depth})

    text = printed(tree.study())

    assert text.count(" last ") == 12
    assert " best " not in text
    assert "rows.csv holds all" in text


@pytest.mark.parametrize("runs", [[], [{"node": "student", "status": "failed", "error": "boom"}]])
def test_a_study_without_results_is_shown(tree: Any, runs: list[Any]) -> None:
    text = printed(tree.study(runs=runs))

    assert text.startswith("Few labels\n")
    assert ("1 of 1 run is failed: student." in text) == bool(runs)


NAMES = (
    "student",
    "a-student-with-a-name-longer-than-any-terminal-is-wide-" * 2,
    "生徒の名前がとても長い場合",
    "größer-🎓-named",
)


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_long_and_wide_names_of_many_models_fit(tree: Any, width: int, terminal: bool) -> None:
    """Counted in cells, as a terminal does: a wide letter takes two."""
    for number in range(12):
        name = f"{NAMES[number % len(NAMES)]}{number}"
        tree.train(name, 1, stage="train", axes={"depth": number, "augmentation": "x" * 30})

    text = plain(printed(tree.study(), width=width, terminal=terminal))

    table = text.split("\n\n")[1].splitlines()
    assert max(map(cell_len, table)) <= width
    assert all("…" not in line for line in table)
    joined = "".join(line.split(" ")[0] for line in table)
    assert NAMES[1].replace(" ", "") in joined
    assert text.count(" last ") == 12


def test_quiet_keeps_tables_and_cautions_and_all_shows_all(tree: Any) -> None:
    for depth in range(12):
        tree.train("student", 1, axes={"depth": depth})
    study = find(tree.study(reduced="A smoke test."))
    texts = []
    for options in ({}, {"facts": False}, {"everything": True}):
        stream = io.StringIO()
        show(study, Console(file=stream, width=80), **options)
        texts.append(stream.getvalue())
    usual, quiet, full = texts

    assert "trainings took" in usual
    assert "trainings took" not in quiet
    assert "A smoke test." in quiet
    assert quiet.count(" last ") == 12
    assert (usual.count(" best "), full.count(" best ")) == (0, 12)
