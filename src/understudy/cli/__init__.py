"""The command line: parses words, calls the layer that does the work, and says how it ended."""

from understudy.cli.entry import main

__all__ = ["main"]
