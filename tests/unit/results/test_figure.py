from understudy.results.figure import figure, plain, plotted, titled


def test_text_of_a_plot_is_no_markup_for_plotly() -> None:
    assert plain("<b>a & b</b>") == "&lt;b&gt;a &amp; b&lt;/b&gt;"


def test_long_text_is_cut_before_it_is_escaped() -> None:
    assert plain("<" * 70, most=3) == "&lt;&lt;…"


def test_a_plot_reserves_its_height_and_carries_its_data() -> None:
    drawn = figure([], height=300, x={"title": titled("step")}, y={})

    written = str(plotted(drawn, caption="Loss & more", note="of <one>"))

    assert 'style="min-height:300px"' in written
    assert "Loss &amp; more" in written
    assert "of &lt;one&gt;" in written
    assert '"text":"step"' in written
