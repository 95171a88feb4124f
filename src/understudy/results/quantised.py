"""What exports say of their files in eight bits, beside those in 32."""

from collections.abc import Iterator
from typing import NamedTuple

from understudy.results.formats import hundredths, milliseconds, percent, size
from understudy.results.records import StudyRecord
from understudy.results.values import mapping, number, text, texts, whole


class Quantised(NamedTuple):
    """One file in eight bits; shares are 0-1, None is not measured."""

    name: str
    """Of the exported file, without its end."""
    run: str
    top1: float | None
    top1_fp32: float | None
    labels: int | None
    """How many validation labels both come from."""
    latency_ms: float | None
    latency_ms_fp32: float | None
    latency_ms_64: float | None
    latency_ms_64_fp32: float | None
    file_bytes: int | None
    file_bytes_fp32: int | None
    recommended: bool
    against: tuple[str, ...]
    """What speaks against it; empty where it is recommended."""

    @property
    def verdict(self) -> str:
        """A word or two for a table."""
        return "recommended here" if self.recommended else "not recommended"

    def sentence(self) -> str:
        """Both files in numbers, and the verdict with its reasons."""
        why = "" if self.recommended else f": {'; '.join(self.against)}"
        return (
            f"In int8, {self.name} takes {size(self.file_bytes)} instead of "
            f"{size(self.file_bytes_fp32)}, {milliseconds(self.latency_ms)} ms an image instead of "
            f"{milliseconds(self.latency_ms_fp32)} ({milliseconds(self.latency_ms_64)} ms instead "
            f"of {milliseconds(self.latency_ms_64_fp32)} for 64), and is right on "
            f"{percent(self.top1)} instead of {hundredths(self.top1_fp32)} % of "
            f"{self.labels or 0:,} validation labels. It is {self.verdict}{why}."
        )


def quantised(record: StudyRecord) -> Iterator[Quantised]:
    """Every file in eight bits that an export of the study wrote."""
    for entry in record.having("int8"):
        if not (found := mapping(entry.run.summary.get("int8"))):
            continue
        yield Quantised(
            name=text(entry.run.summary.get("file")).removesuffix(".onnx"),
            run=entry.run.id,
            top1=number(found.get("top1")),
            top1_fp32=number(found.get("top1_fp32")),
            labels=whole(found.get("labels")),
            latency_ms=number(found.get("latency_ms_1")),
            latency_ms_fp32=number(found.get("latency_ms_1_fp32")),
            latency_ms_64=number(found.get("latency_ms_64")),
            latency_ms_64_fp32=number(found.get("latency_ms_64_fp32")),
            file_bytes=whole(found.get("file_bytes")),
            file_bytes_fp32=whole(found.get("file_bytes_fp32")),
            recommended=found.get("recommended") is True,
            against=tuple(texts(found.get("against"))),
        )
