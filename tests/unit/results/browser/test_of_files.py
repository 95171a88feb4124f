import csv
from pathlib import Path

import pytest
from tests.unit.results.browser.rows_of_others import GAINS, figures, published, write
from tests.unit.results.conftest import Tree, main_job

from understudy.results.browser import of_files
from understudy.results.browser.observed import answers, questions
from understudy.results.browser.of_files import UNTAUGHT, sheet_of
from understudy.results.browser.sheet import Sheet
from understudy.results.browser.tables_of_others import named, read_tables
from understudy.results.csv_file import write_csv
from understudy.results.errors import ReportError
from understudy.results.find import find
from understudy.results.rows import rows_of


def read(*words: object) -> Sheet:
    return sheet_of(read_tables([named(str(word)) for word in words]))


def roles(sheet: Sheet) -> list[str | None]:
    return [run.axes.get("role") for run in sheet.runs]


def test_columns_tell_students_from_their_teachers(tmp_path: Path) -> None:
    students, teachers = published(tmp_path)

    for files in ((students, teachers), (teachers, students)):
        sheet = read(*files)

        assert roles(sheet).count("student") == 72
        assert roles(sheet).count("teacher") == 24
        for run in sheet.runs:
            if run.axes["role"] == "teacher":
                assert run.teacher is None
                continue
            own = sheet.runs[run.teacher if run.teacher is not None else -1]
            assert {**own.axes, "role": "student", "arch": run.axes["arch"]} == run.axes
            gain = run.figures["auc"] - own.figures["auc"]
            assert gain == pytest.approx(GAINS[run.axes["arch"]])
        assert any("students.csv: 72 rows, taken as students" in note for note in sheet.notes)
        assert any("teachers.csv: 24 rows, taken as teachers" in note for note in sheet.notes)


def test_axes_are_what_rows_were_varied_in_and_figures_what_was_measured(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))

    assert {axis.name: axis.values for axis in sheet.axes} == {
        "role": ("student", "teacher"),
        "model": ("far", "near_adam", "near_sgd"),
        "labeling": ("any", "one"),
        "split_percent": ("1", "10", "50", "100"),
        "arch": ("net9", "net50", "net101"),
    }
    assert [one.name for one in sheet.measures] == list(figures(0.5))
    assert (sheet.measure.name, sheet.along) == ("f1", "split_percent")
    assert [tuple(one) for one in sheet.opposites] == [("model", "near_adam", "near_sgd")]
    assert len(sheet.chosen()) == 72


def test_counts_are_a_confusion_and_judge_the_figures_beside_them(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))

    first = sheet.runs[0]
    assert first.confusion is not None
    classes, ((tn, fp), (fn, tp)) = first.confusion
    assert classes == ("negative", "positive")
    assert [first.figures[name] for name in ("tn", "fp", "fn", "tp")] == [tn, fp, fn, tp]
    wrong = [note for note in sheet.notes if "is not what tp, fp, tn and fn give" in note]
    assert [note.split(" ")[0] for note in wrong] == ["f0.5"]


def test_what_a_user_says_of_a_file_stands_above_what_its_columns_tell(tmp_path: Path) -> None:
    students, teachers = published(tmp_path)

    sheet = read(students, f"baseline={teachers}")

    assert set(roles(sheet)) == {"student", "baseline"}
    own = [run for run in sheet.runs if run.axes["role"] == "student"]
    assert all(run.teacher is None and run.baseline is not None for run in own)
    assert next(one.title for one in questions(sheet)) == "student − baseline"


def test_a_student_without_a_teacher_or_with_several_is_said(tmp_path: Path) -> None:
    students = write(
        tmp_path / "s.csv",
        [{"set": name, "net": net, **figures(0.7)} for name in "abc" for net in ("x", "y")],
    )
    teachers = write(
        tmp_path / "t.csv",
        [
            {"set": name, **figures(level)}
            for name, level in zip("aab", (0.7, 0.8, 0.9), strict=True)
        ],
    )

    sheet = read(students, f"teacher={teachers}")

    held = {run.axes["set"] for run in sheet.runs if run.teacher is not None}
    assert held == {"b"}
    assert (
        "Of 6 students 2 have no teacher and 2 have several teachers that agree in set; they are "
        "held against no teacher, and each counts as one observation, though some may share one."
    ) in sheet.notes


def test_a_file_said_to_be_of_baselines_leaves_the_others_to_their_columns(tmp_path: Path) -> None:
    students, teachers = published(tmp_path)
    baselines = write(
        tmp_path / "alone.csv",
        [{"split_percent": percent, "network": "net9", **figures(0.6)} for percent in (1, 10)],
    )

    sheet = read(students, teachers, f"baseline={baselines}")

    assert [roles(sheet).count(one) for one in ("student", "teacher", "baseline")] == [72, 24, 2]
    assert "teachers.csv: 24 rows, taken as teachers, as their columns tell." in sheet.notes
    assert any(
        note.endswith(
            "Only students have model, labeling, pretrain and arch, only baselines network: "
            "columns that mean the same need one name."
        )
        for note in sheet.notes
    )


def test_most_teachers_and_numbers_in_another_spelling_are_enough(tmp_path: Path) -> None:
    """pandas writes 10 as 10.0 where a column has gaps, and a file may lack a few rows."""
    students, teachers = published(tmp_path)
    with teachers.open() as stream:
        rows = list(csv.DictReader(stream))
    respelt = [{**row, "split_percent": f"{row['split_percent']}.0"} for row in rows]
    fewer = write(tmp_path / "fewer.csv", respelt[2:])

    sheet = read(students, fewer)

    axis = sheet.axis("split_percent")
    assert axis is not None
    assert axis.values == ("1", "10", "50", "100")
    assert sum(run.teacher is not None for run in sheet.runs) == 66
    assert any(note.startswith("Of 72 students 6 have no teacher that") for note in sheet.notes)


def test_rows_whose_teachers_nobody_tells_are_said_to_be_so(tmp_path: Path) -> None:
    students, teachers = published(tmp_path)

    assert UNTAUGHT in read(students).notes
    assert UNTAUGHT not in read(students, teachers).notes


def test_rows_that_the_page_saved_say_what_they_said_there(tmp_path: Path) -> None:
    """As its script writes them: names first, then axes and figures, then whom a row is held to."""
    sheet = read(*published(tmp_path))
    names = [run.name for run in sheet.runs]
    saved = write(
        tmp_path / "saved.csv",
        [
            {
                "row": run.name,
                **{axis.name: run.axes.get(axis.name, "") for axis in sheet.axes},
                **run.figures,
                "teacher": "" if run.teacher is None else names[run.teacher],
                "baseline": "",
            }
            for run in sheet.runs
        ],
    )

    again = read(saved)

    assert [axis.name for axis in again.axes] == [axis.name for axis in sheet.axes]
    assert [run.teacher for run in again.runs] == [run.teacher for run in sheet.runs]
    assert [one.pairs for one in questions(again)] == [one.pairs for one in questions(sheet)]


def test_files_of_equal_columns_are_told_apart_by_their_names(tmp_path: Path) -> None:
    rows = [
        {"net": net, **figures(level)}
        for net, level in (("x", 0.7), ("y", 0.8), ("x", 0.6), ("y", 0.5))
    ]
    one, two = (write(tmp_path / f"{name}.csv", rows) for name in ("before", "after"))

    sheet = read(one, two)

    assert sheet.axes[0].name == "file"
    assert sheet.axes[0].values == ("before", "after")
    assert roles(sheet) == [None] * 8


def test_rows_of_our_own_say_as_a_file_what_they_say_as_runs(tmp_path: Path) -> None:
    tree = main_job(Tree(tmp_path / "runs"))
    write_csv(rows_of(find(tree.study())), tmp_path / "rows.csv")

    sheet = read(tmp_path / "rows.csv")

    told = {
        one.title: answers(sheet, one, "test_top1", by=[], among=sheet.chosen())[0]
        for one in questions(sheet)
    }
    assert told["student − teacher"].found.values == pytest.approx([0.005, 0.021, 0.006])
    assert told["student − baseline"].found.values == pytest.approx([0.08, 0.08, 0.074])
    assert {run.axes["checkpoint"] for run in map(sheet.runs.__getitem__, sheet.chosen())} == {
        "last"
    }


def test_all_that_is_wrong_with_files_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "head.csv").write_text("a,b\n")
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n3\n4,5,6\n")
    (tmp_path / "twice.csv").write_text("a,a\n1,2\n")
    (tmp_path / "tabs.csv").write_text("a\tb\n1\t2\n")
    (tmp_path / "bytes.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    names = ("absent", "empty", "head", "odd", "twice", "tabs", "bytes")

    with pytest.raises(ReportError) as caught:
        read(*(tmp_path / f"{name}.csv" for name in names))

    heading, *lines = str(caught.value).splitlines()
    assert heading == "--rows: 7 mistakes"
    for name, line, words in zip(
        names,
        lines,
        (
            "cannot be read (No such file",
            "holds no row",
            "holds no row",
            "2 of 3 rows have not the 2 cells of the head; the first is row 2 with 1",
            "names a more than once",
            "one column alone",
            "no CSV file in UTF-8",
        ),
        strict=True,
    ):
        assert f"{name}.csv" in line
        assert words in line


def test_a_table_without_figures_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "words.csv", [{"a": "x", "b": "y"}, {"a": "x", "b": "y"}])

    with pytest.raises(ReportError, match="no column holds figures"):
        read(path)


def test_a_cell_that_says_nothing_is_absent_and_no_zero(tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("net,f1,auc\nx,0.5,nan\ny,,0.75\nx,None,inf\ny,0.25,0.5\n")

    sheet = read(path)

    assert [dict(run.figures) for run in sheet.runs] == [
        {"f1": 0.5},
        {"auc": 0.75},
        {},
        {"f1": 0.25, "auc": 0.5},
    ]


def test_the_index_of_pandas_is_no_figure(tmp_path: Path) -> None:
    path = tmp_path / "frame.csv"
    path.write_text(",net,f1\n0,x,0.5\n1,y,0.6\n2,x,0.7\n3,y,0.8\n")

    sheet = read(path)

    assert [one.name for one in sheet.measures] == ["f1"]
    with path.open() as stream:
        assert len(list(csv.reader(stream))) == 5


def test_more_rows_than_a_page_can_show_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_files, "MOST_ROWS", 95)

    with pytest.raises(ReportError, match="96 rows are more than the 95 that a page can show"):
        read(*published(tmp_path))


def test_a_path_that_cannot_be_one_is_told() -> None:
    with pytest.raises(ReportError, match=r"'rows\\x00.csv': holds a character that no path has"):
        read(Path("rows\0.csv"))
