import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser.chromium import Chromium, chromium
from tests.unit.results.conftest import Tree, example, main_job

from understudy.results.csv_file import write_csv
from understudy.results.find import find
from understudy.results.report import write_report
from understudy.results.rows import rows_of

HOSTILE = '"><script>hacked=1</script><img src=x onerror=hacked=1>\x1b[31m</table>'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One tab for all tests."""
    program = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if program is None:
        pytest.skip("No Chromium here; on Debian as root, `make test-browser` installs it.")
    with chromium(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def written(tree: Tree) -> Path:
    """The study's report, with its rows beside it."""
    study = tree.study(title="Few labels")
    record = find(study)
    write_report(record, study / "report.html")
    write_csv(rows_of(record), study / "rows.csv")
    return study / "report.html"


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a main job with three seeds and images of all kinds."""
    tree = Tree(tmp_path_factory.mktemp("page") / "runs")
    kinds = [("mistake", 24), ("taught otherwise", 12), ("surpassed", 6), ("right", 6)]
    told = [example(f"{why}/{at}.png", why=why) for why, count in kinds for at in range(count)]
    return written(main_job(tree, examples=told))


@pytest.fixture(scope="session")
def large_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of 180 models and their 90 evaluations, with two axes."""
    tree = Tree(tmp_path_factory.mktemp("large") / "runs")
    for depth in (8, 14, 20, 32, 44, 56):
        for method in ("kd", "dkd", "rkd", "crd", "simkd"):
            for seed in (1, 2, 3):
                axes = {"depth": depth, "method": method}
                tree.train("baseline", seed, axes=axes)
                tree.train("student", seed, axes=axes)
                levels = {"baseline": 0.4 + seed / 100, "student": 0.5 + depth / 1000}
                tree.evaluate(seed, top1=levels, axes=axes)
    lost = {"node": "student", "stage": "distill", "seed": 4, "axes": {"depth": 8, "method": "kd"}}
    tree.entries.append({**lost, "status": "failed", "error": "Out of memory", "run": "distill/x"})
    return written(tree)


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report in which whatever a user or a stranger can name is an attack."""
    tree = Tree(tmp_path_factory.mktemp("hostile") / "runs")
    tree.train("baseline", 1, axes={HOSTILE: HOSTILE}, summary={"notes": [HOSTILE]})
    tree.train("student", 1, axes={HOSTILE: HOSTILE})
    answered = {"class": HOSTILE, "answer": HOSTILE, "teacher": {"answer": HOSTILE}}
    told = [example(HOSTILE, why=why, **answered) for why in ("mistake", "right")]
    told.append(example("x", webp='"><script>hacked=1</script>'))
    classes = (HOSTILE, "javascript:hacked=1", "{{7*7}}")
    levels = {"baseline": 0.4, "student": 0.5}
    axes = {HOSTILE: HOSTILE}
    tree.evaluate(1, top1=levels, axes=axes, classes=classes, examples=told)
    failed = {"node": HOSTILE, "status": "failed", "error": HOSTILE, "seed": 2, "run": HOSTILE}
    tree.entries.append(failed)
    study = tree.study(title=HOSTILE, parameters={HOSTILE: HOSTILE})
    write_report(find(study), study / "report.html")
    return study / "report.html"
