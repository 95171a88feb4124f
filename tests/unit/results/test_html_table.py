from understudy.results.html_table import LONG, Column, Datum, Record, table
from understudy.results.markup import element


def test_numbers_carry_the_value_that_they_are_sorted_by() -> None:
    columns = [Column("Model", numeric=False), Column("Test %", help="top-1")]
    records = [
        Record([Datum(element("b", "a<b")), Datum("53.4", value=0.534, help="3 runs")]),
        Record([Datum("c"), Datum("–")]),
    ]

    written = str(table(columns, records, title="All"))

    assert '<td class="number" data-order="0.534" title="3 runs">53.4</td>' in written
    assert '<td class="number" data-order="">–</td>' in written
    assert "<td><b>a&lt;b</b></td>" in written
    assert '<th scope="col" title="top-1" class="number">Test %</th>' in written


def test_a_column_that_few_ask_for_is_marked_and_still_there() -> None:
    written = str(table([Column("NLL", aside=True)], [Record([Datum("1.4")])], title="All"))

    assert 'class="number aside">NLL</th>' in written
    assert "1.4" in written


def test_a_table_of_many_rows_is_marked_as_one_to_be_shown_in_pages() -> None:
    row = Record([Datum("1.4")])

    short, long = (table([Column("NLL")], [row] * rows, title="All") for rows in (LONG, LONG + 1))

    assert short.startswith('<div class="scroll" ')
    assert long.startswith('<div class="scroll long" ')
    assert long.count("<td") == LONG + 1
