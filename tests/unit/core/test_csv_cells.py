import pytest

from understudy.core.csv_cells import cell


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1+1", "@SUM(A1)", "\t=1", "\n=1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    assert cell(text).startswith("'")


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, ""), (0.1, "0.1"), (-3, "-3"), ("a=b", "a=b"), (("a", "b"), "a b"), ("a\r\nb", "a\nb")],
)
def test_everything_else_is_written_as_it_is(value: object, written: str) -> None:
    assert cell(value) == written
