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
