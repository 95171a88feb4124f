"""The page's section of training: how accuracy rose and losses fell."""

from collections.abc import Mapping

from understudy.results.curves import curves, drawn
from understudy.results.figure import plotted
from understudy.results.markup import Markup, element, section
from understudy.results.records import StudyRecord


def training(record: StudyRecord, colours: Mapping[str, str]) -> Markup | None:
    """Curves: validation accuracy together, k-NN, and the loss of each name by itself."""
    entries = drawn(record.entries)
    plots = []
    for key, caption, note in (
        ("top1", "Validation accuracy", ""),
        ("knn_top1", "k-NN accuracy", "of the frozen features, while pretraining"),
    ):
        if found := curves(entries, phase="validation", key=key, colours=colours, share=True):
            plots.append(plotted(found, caption=caption, note=note))
    for name in dict.fromkeys(entry.node for entry in entries):
        own = [entry for entry in entries if entry.node == name]
        if found := curves(own, phase="train", key="loss", colours=colours, share=False):
            plots.append(plotted(found, caption="Training loss", note=name))
    if not plots:
        return None
    total = sum(bool(entry.run.history.lines) for entry in record.entries)
    partly = f"{len(entries)} of {total} runs are drawn."
    return section(
        "training",
        "Training",
        element("p", partly, class_="quiet note") if len(entries) < total else None,
        element("div", *plots, class_="figures"),
    )
