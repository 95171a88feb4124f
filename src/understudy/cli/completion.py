"""Completion scripts for shells: the command line's own words, and all names and keys there are.

The script is made by cyclopts from a copy of the commands whose free words are typed as what is
known of them: shipped studies and recipes, and the keys of settings. It is static, so that a press
of the tab key starts no Python.
"""

from collections.abc import Iterator
from types import FunctionType
from typing import Any, Literal

from cyclopts import App

from understudy.cli.names import LISTS
from understudy.cli.settings_help import reference, setting_keys
from understudy.core.errors import UsageError
from understudy.core.shipped import shipped_names
from understudy.core.wording import nearest

SHELLS = ("bash", "zsh", "fish")
OWN_WORDS = ("data", "scale", "seeds")
BASH_END = "complete -F _understudy understudy\n"
BASH_WORDS = """\
# A key waits for its value, so no space follows it; behind `=` stands a value, mostly a path.
_understudy_words() {
  local cur="${COMP_WORDS[COMP_CWORD]}"
  if [[ "$cur" == "=" || "${COMP_WORDS[COMP_CWORD-1]}" == "=" ]]; then
    COMPREPLY=()
    return
  fi
  _understudy
  if [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

complete -o default -F _understudy_words understudy
"""


def completion_script(app: App, shell: str) -> str:
    """The script that a user sources.

    Raises:
        UsageError: There is none for the shell.
    """
    if shell not in SHELLS:
        if not shell:
            raise UsageError(f"say for which shell: {', '.join(sorted(SHELLS))}.")
        raise UsageError(f"no completion for {shell!r}; {nearest(shell, SHELLS)}.")
    script = _with_known_words(app).generate_completion(shell=shell)  # type: ignore[arg-type]
    if shell != "bash":
        return script
    assert script.endswith(BASH_END)
    return script.removesuffix(BASH_END) + BASH_WORDS


def _with_known_words(app: App) -> App:
    """The same commands, their free words typed as what is known of them."""
    copied = App(name=app.name, help=app.help, version="")
    for name in app:
        command = app[name]
        if name.startswith("-"):
            continue
        if isinstance(command.default_command, FunctionType):
            copied.command(_typed(command.default_command, name), name=name, help=command.help)
        else:
            copied.command(command, name=name)
    return copied


def _typed(function: FunctionType, command: str) -> Any:
    """A copy of a command's function for which the known words are all there are."""
    copy = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__, copy.__doc__ = function.__kwdefaults__, function.__doc__
    known = _known_words(command)
    copy.__annotations__ = {
        **function.__annotations__,
        **{name: Literal[words] for name, words in known.items() if words},
    }
    return copy


def _known_words(command: str) -> dict[str, tuple[str, ...]]:
    """By parameter of the command's function."""
    if command == "run":
        return {"study": tuple(shipped_names("studies")), "words": tuple(_study_words())}
    if command in reference()["stages"]:
        keys = tuple(f"{key}=" for key in setting_keys(command) if "[i]" not in key)
        return {"words": (*shipped_names(command), *keys)}
    others: dict[str, dict[str, tuple[str, ...]]] = {
        "list": {"what": LISTS},
        "completion": {"shell": SHELLS},
    }
    return others.get(command, {})


def _study_words() -> Iterator[str]:
    """The parameters of all shipped studies, and what every study takes beside them."""
    from understudy.studies.parameters import leaves  # only now: these bring pydantic
    from understudy.studies.study import read_study

    studies = [read_study(name).parameters for name in shipped_names("studies")]
    keys = [key for parameters in studies for key, _ in leaves(parameters)]
    machine = [key for key in setting_keys("train") if key.startswith("machine.")]
    yield from (f"{key}=" for key in dict.fromkeys([*OWN_WORDS, *keys, *machine]))
