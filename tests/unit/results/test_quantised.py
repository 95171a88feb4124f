from pathlib import Path
from typing import Any

import pytest

from understudy.results.comparison import comparison
from understudy.results.find import find
from understudy.results.findings import findings
from understudy.results.quantised import quantised
from understudy.results.records import Entry, RunRecord, StudyRecord
from understudy.results.result_tables import cost_table

FOUND: dict[str, Any] = {
    "file": "student.int8.onnx",
    "labels": 460,
    "top1": 0.654,
    "top1_fp32": 0.657,
    "latency_ms_1": 0.617,
    "latency_ms_64": 42.2,
    "latency_ms_1_fp32": 0.691,
    "latency_ms_64_fp32": 57.4,
    "file_bytes": 105_564,
    "file_bytes_fp32": 318_675,
    "recommended": True,
    "against": [],
}


def record(int8: Any) -> StudyRecord:
    summary = {"file": "student.onnx", "int8": int8}
    run = RunRecord(Path("export/a-1"), "export", "a", "1", "finished", summary, ())
    entry = Entry("s", "export", "export", 1, {}, "finished", "", run)
    return StudyRecord(Path("s"), "s", "s", {}, "", "", (entry,))


def test_a_file_in_eight_bits_is_told_with_both_numbers() -> None:
    (found,) = quantised(record(FOUND))

    told = found.sentence()

    assert "106 kB instead of 319 kB" in told
    assert "0.62 ms an image instead of 0.69" in told
    assert "65.4 % instead of 65.7 % of 460 validation labels" in told
    assert told.endswith("It is recommended here.")


AGAINST = ["it loses 1.3 points on 460 validation labels", "it is not faster here at batch 1"]


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [({}, "recommended here"), ({"recommended": False, "against": AGAINST}, "not recommended")],
)
def test_g4_table_and_findings_show_both_files_and_the_verdict(
    changed: dict[str, Any], verdict: str, tree: Any
) -> None:
    for node in ("baseline", "teacher", "student"):
        tree.train(node, 1)
    tree.evaluate(1)
    summary = {"file": "student.onnx", "int8": {**FOUND, **changed}}
    tree.run("export", 1, summary=summary)
    study = find(tree.study())
    found = comparison(study)

    table = cost_table(found.lines, {}, list(quantised(study)))
    told = [one.text for one in findings(study, found) if one.text.startswith("In int8")]

    assert table is not None
    row = str(table).split("student in int8, ")[1].split("</tr>")[0]
    assert row.startswith(verdict)
    assert "106 kB" in row and "0.62" in row and "42.2" in row
    (sentence,) = told
    assert f"It is {verdict}" in sentence
    assert all(reason in sentence for reason in changed.get("against", ()))


@pytest.mark.parametrize("odd", [None, [], 7, "x"])
def test_an_export_without_one_is_silent(odd: Any) -> None:
    assert not list(quantised(record(odd)))


@pytest.mark.parametrize("odd", [{"top1": "x"}, {"recommended": "yes"}, {"against": 3}])
def test_odd_values_are_shown_as_absent_and_never_praised(odd: dict[str, Any]) -> None:
    (found,) = quantised(record(odd))

    assert not found.recommended
    assert "–" in found.sentence()
