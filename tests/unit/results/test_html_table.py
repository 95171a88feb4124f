from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.markup import element


def test_numbers_carry_the_value_that_they_are_sorted_by() -> None:
    columns = [Column("Model", numeric=False), Column("Test %", help="top-1")]
    records = [Record([Datum(element("b", "a<b")), Datum("53.4", value=0.534, help="3 runs")])]

    written = str(table(columns, records, title="All"))

    assert '<td class="number" data-value="0.534" title="3 runs">53.4</td>' in written
    assert "<td><b>a&lt;b</b></td>" in written
    assert '<button type="button" title="top-1">Test %</button>' in written


def test_a_long_table_scrolls_in_its_own_frame() -> None:
    columns = [Column("Model", numeric=False)]

    short = str(table(columns, [Record([Datum("a")])] * 40, title="All"))
    long = str(table(columns, [Record([Datum("a")])] * 41, title="All"))

    assert 'class="scroll"' in short
    assert 'class="scroll tall"' in long
