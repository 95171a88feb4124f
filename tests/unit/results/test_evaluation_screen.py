import io

from rich.console import Console

from understudy.results.evaluation_screen import show_evaluation


def test_every_checkpoint_has_its_line_within_eighty_columns() -> None:
    figures = {"top1": 0.937, "macro_f1": 0.931, "ece": 0.04, "latency_ms_1": 0.018}
    name = "distill/student-with-a-long-name-for-people-0123456789ab"
    summary = {
        "split": "test",
        "images": 10_000,
        "evaluations": [
            {"run": name, "checkpoint": "last", "agreement": 0.98, **figures},
            {"run": "train/baseline-abc", "checkpoint": "best", "agreement": None, **figures},
        ],
        "probes": [
            {
                "run": "pretrain/p-abc",
                "checkpoint": "last",
                "knn_top1": 0.425,
                "linear_top1": 0.492,
            }
        ],
    }
    stream = io.StringIO()

    show_evaluation(summary, Console(file=stream, width=80))

    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "test split, 10,000 images"
    assert any(line.split()[-5:] == ["93.7", "93.1", "4.0", "98.0", "0.018"] for line in lines)
    assert any(line.split()[-2:] == ["42.5", "49.2"] for line in lines)


def test_how_far_the_members_of_an_ensemble_differ_is_shown_where_there_is_one() -> None:
    figures = {"top1": 0.9, "macro_f1": 0.9, "ece": 0.04, "latency_ms_1": 0.1, "agreement": None}
    told = {"run": "ensemble/e-0123456789ab", "checkpoint": "last", "disagreement": 0.141}
    summary = {"split": "val", "images": 10, "evaluations": [{**told, **figures}], "probes": []}
    stream = io.StringIO()

    show_evaluation(summary, Console(file=stream, width=80))

    _, heads, row = stream.getvalue().splitlines()
    assert "apart %" in heads
    assert "14.1" in row.split()
