"""Which progress suits where stderr leads."""

import os
from typing import TextIO

from understudy.cli.log_lines import LineProgress
from understudy.cli.screen import ScreenProgress


def progress_on(stream: TextIO) -> ScreenProgress | LineProgress:
    """Bars on a terminal that a person watches; lines in a pipe, a file or CI."""
    is_watched = stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"
    return ScreenProgress(stream) if is_watched else LineProgress(stream)
