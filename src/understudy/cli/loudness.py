"""How much a command tells: one choice, the same for every command that works."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from cyclopts import Parameter

from understudy.core.errors import UsageError


class Loudness(Enum):
    """What is shown."""

    QUIET = "quiet"
    """Errors and warnings, and the last lines: the table, and where the report and models lie."""
    NORMAL = "normal"
    VERBOSE = "verbose"
    """Also every logged line, each run's settings, and what was measured of the machine."""


@Parameter(name="*")
@dataclass(frozen=True)
class Telling:
    """The two options of every command that works."""

    quiet: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Show errors, warnings and the last lines alone."
        ),
    ] = False
    verbose: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="Show all: settings, measurements, each logged line.",
        ),
    ] = False

    @property
    def loudness(self) -> Loudness:
        """What was asked for.

        Raises:
            UsageError: Both.
        """
        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose cannot go together; give one of them.")
        if self.quiet:
            return Loudness.QUIET
        return Loudness.VERBOSE if self.verbose else Loudness.NORMAL
