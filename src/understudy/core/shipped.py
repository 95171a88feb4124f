"""The recipes and studies that come with the package, by name; anything else by path."""

from importlib import resources
from pathlib import Path

from understudy.core.errors import UsageError
from understudy.core.wording import nearest

SUFFIXES = (".yaml", ".yml")


def shipped_names(folder: str) -> list[str]:
    """Names of the YAML files in `understudy/recipes/<folder>`, sorted."""
    place = _root() / folder
    return sorted(path.stem for path in place.glob("*.yaml")) if place.is_dir() else []


def shipped_folders() -> list[str]:
    """Folders of `understudy/recipes` that hold files, sorted."""
    return sorted(path.name for path in _root().iterdir() if shipped_names(path.name))


def found(asked: str, *, folder: str, what: str) -> Path:
    """The file meant by a shipped name or by a path.

    Args:
        asked: What the user wrote.
        folder: Where the shipped ones lie: "studies", or a stage's name.
        what: What it is, for the message: "study", "recipe".

    Raises:
        UsageError: There is no such name and no such file.
    """
    names = shipped_names(folder)
    name = asked.removeprefix(f"{folder}/")
    if name in names:
        return _root() / folder / f"{name}.yaml"
    path = Path(asked)
    if _is_file(path):
        return path
    if path.suffix in SUFFIXES or len(path.parts) > 1:
        raise UsageError(f"{asked}: no such file. Shipped names: {', '.join(names) or 'none'}.")
    raise UsageError(
        f"no {what} is called {asked!r}; {nearest(asked, names)}. "
        f"The path of a YAML file serves as well."
    )


def _root() -> Path:
    return Path(str(resources.files("understudy.recipes")))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name longer than the file system takes
        return False
