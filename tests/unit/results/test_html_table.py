from understudy.results.html_table import Column, Datum, Record, table
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
