"""The error of this layer."""

from understudy.core.errors import UsageError


class ReportError(UsageError):
    """What was asked to be shown is not there, or cannot honestly be shown together."""
