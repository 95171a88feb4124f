"""What `understudy list` names."""

from collections.abc import Iterator

from understudy.cli.plain_text import wrapped
from understudy.cli.settings_help import reference
from understudy.core.errors import UsageError
from understudy.core.shipped import shipped_folders, shipped_names
from understudy.core.wording import nearest

LISTS = ("studies", "recipes", "methods", "objectives", "transforms", "backbones", "sources")


def names_of(what: str) -> list[str]:
    """The names of one kind of thing.

    Raises:
        UsageError: There is no such list.
    """
    if not what:
        raise UsageError(f"say which list: {', '.join(LISTS)}.")
    if what not in LISTS:
        raise UsageError(f"no list of {what!r}; {nearest(what, LISTS)}.")
    if what == "studies":
        return shipped_names("studies")
    if what == "recipes":
        return [
            f"{folder}/{name}"
            for folder in shipped_folders()
            if folder != "studies"
            for name in shipped_names(folder)
        ]
    names: list[str] = reference()["names"][what]
    return names


def explained(what: str) -> Iterator[str]:
    """The names, each with what it does or the paper that it is from; in 79 columns.

    Raises:
        UsageError: There is no such list.
    """
    names = names_of(what)
    papers: dict[str, str] = reference()["papers"].get(what, {})
    width = max(map(len, names), default=0) + 2
    for name in names:
        if name in papers:
            yield from wrapped(papers[name], first=name.ljust(width), indent=" " * width)
        else:
            yield name
