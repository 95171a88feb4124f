import pytest

from understudy.evaluation.intervals import Interval
from understudy.stages.card_text import between, code, codes, counted, percent, table


@pytest.mark.parametrize(
    "name",
    ["a`b", "a|b", "a\nb", "a\x1b[31mb", "a\u202eb", "a\u2028b", "`", "\n", "", "<script>"],
)
def test_f6_a_name_stays_one_piece_of_code_in_one_cell(name: str) -> None:
    shown = code(name)

    assert shown.startswith("`") and shown.endswith("`") and len(shown) > 2
    inside = shown[1:-1]
    assert not set(inside) & set("`|\n\x1b\u202e\u2028")


def test_many_names_are_cut_and_the_rest_is_counted() -> None:
    assert codes(["a", "b", "c"], most=2) == "`a`, `b`, and 1 more"
    assert codes(["a", "b"]) == "`a`, `b`"


def test_numbers_read_as_people_write_them() -> None:
    assert percent(0.5344) == "53.4 %"
    assert percent(None) == "not measured"
    assert between(Interval(0.501, 0.584)) == "50.1 to 58.4 %"
    assert (counted(1, "label"), counted(1300, "label")) == ("1 label", "1,300 labels")


def test_a_table_aligns_numbers_to_the_right() -> None:
    assert table(["a", "b"], [["x", "1"]]).splitlines() == [
        "| a | b |",
        "| --- | ---: |",
        "| x | 1 |",
    ]
