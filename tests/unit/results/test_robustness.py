"""Whatever other programs, crashes or hands did to the files, a report comes out."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from understudy.results.csv_file import write_csv
from understudy.results.find import find
from understudy.results.report import write_report
from understudy.results.rows import rows_of
from understudy.results.screen import show

ODD: tuple[Any, ...] = (
    *(None, "text", [], {}, -1, 0, True, float("nan"), 1e308, [[]], [None], {"a": None}),
    *("<b>", "\x1b[31m", "", 10**30, [1, "a"]),
)


def places(content: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a JSON value; of a list, the first two items."""
    items: Any = content.items() if isinstance(content, dict) else ()
    if isinstance(content, list):
        items = enumerate(content[:2])
    for key, value in items:
        yield (*above, key)
        yield from places(value, (*above, key))


def changed(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = dict(content) if isinstance(content, dict) else list(content)
    copy[place[0]] = changed(copy[place[0]], place[1:], value)
    return copy


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, study: Path) -> Path:
    """A copy of the study's tree that examples change and mend."""
    runs = tmp_path_factory.mktemp("broken") / "runs"
    for source in study.parent.parent.rglob("*"):
        if source.suffix in (".json", ".jsonl", ".yaml"):
            target = runs / source.relative_to(study.parent.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return runs


@given(data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_odd_value_in_any_file_leaves_a_report(broken: Path, data: st.DataObject) -> None:
    files = sorted(broken.rglob("s*.json"))
    path = data.draw(st.sampled_from(files), label="file")
    before = path.read_text()
    content = json.loads(before)
    place = data.draw(st.sampled_from(sorted(places(content), key=str)), label="place")
    value = data.draw(st.sampled_from(ODD), label="value")
    path.write_text(json.dumps(changed(content, place, value)))

    try:
        record = find(broken / "studies/few-labels")
        write_report(record, broken / "report.html")
        write_csv(rows_of(record), broken / "rows.csv")
        show(record, Console(file=io.StringIO(), width=80))
    finally:
        path.write_text(before)

    assert (broken / "rows.csv").read_text().startswith("study,")
