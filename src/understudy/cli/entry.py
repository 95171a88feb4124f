"""A command line from its words to its exit code."""

import os
import sys
from collections.abc import Sequence
from functools import partial

from cyclopts import UnknownOptionError

from understudy.cli.commands import DEFAULT_STUDY, app
from understudy.cli.failures import exit_code_of
from understudy.cli.settings_help import meant
from understudy.cli.words import must_be_there, name_first
from understudy.core.errors import UsageError

DEBUG = "--debug"
HELP = ("--help", "-h")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code.

    Args:
        argv: Its words, without the program's name; by default those of this process.

    Returns:
        0, or what `core/errors.py` and `failures.py` say.
    """
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")  # a name beyond the terminal's encoding
    words = list(sys.argv[1:] if argv is None else argv)
    debug = DEBUG in words or bool(os.environ.get("UNDERSTUDY_DEBUG"))
    return exit_code_of(partial(_answered, [w for w in words if w != DEBUG]), debug=debug)


def _answered(words: Sequence[str]) -> int:
    must_be_there(words)
    try:
        if words[:1] == ["run"] and set(words).intersection(HELP):
            return _help_of_run(words)
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except UnknownOptionError as error:
        option = error.token.keyword or error.token.value
        raise UsageError(f"{error}{meant(option, command=words[0])}") from error
    return code or 0


def _help_of_run(words: Sequence[str]) -> int:
    """The help of the command, and below it that of the study, where one is named."""
    given = [word for word in words if word not in HELP]
    _, bound, _ = app.parse_args(given, exit_on_error=False, print_error=False)
    told = ""
    if bound.args:
        from understudy.cli.study_help import study_help

        study, rest = name_first(bound.args[0], bound.args[1:], otherwise=DEFAULT_STUDY)
        told = f"\n{study_help(study, rest)}\n"
    app.help_print(["run"])
    print(told, end="")
    return 0
