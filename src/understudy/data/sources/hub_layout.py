"""Which Parquet files of a data set in the Hugging Face hub's layout hold which split.

The front matter of README.md may say so (`configs`, each with its `data_files`); else names do:
`data/train-00000-of-00001.parquet`, or `CONFIG/train-...` where there are several configurations.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from understudy.core.errors import DataError, UsageError
from understudy.core.wording import nearest, shown
from understudy.core.yaml import parse_value
from understudy.data.sources.listing import split_of

_FRONT_MATTER = re.compile(r"\A\s*---\s*\n(.*?)^---\s*$", re.DOTALL | re.MULTILINE)
PLAIN_FOLDERS = ("data",)
"""Folders that are no configuration."""


class Chosen(NamedTuple):
    """The files to read."""

    splits: dict[str, str]
    """The split of each file, by name; "" where none is given."""
    ignored: dict[str, int]
    """Files of splits that have no meaning here, by reason."""


def chosen(names: Sequence[str], readme: str, *, config: str | None, origin: str) -> Chosen:
    """The Parquet files of one configuration.

    Args:
        names: All files of the data set, with forward slashes.
        readme: The content of README.md; "" where there is none.
        config: The configuration asked for; None: the only one, or the default.
        origin: The data set, as messages name it.

    Raises:
        UsageError: There is no such configuration, or there are several and none was asked for.
        DataError: There are no Parquet files, or README.md is not as the hub has it.
    """
    files = sorted(
        name
        for name in names
        if name.lower().endswith(".parquet")
        and not any(part.startswith(".") for part in PurePosixPath(name).parts)
    )
    stated = _stated(readme, origin=origin)
    named = _of_configs(files, stated, origin=origin) if stated else _of_folders(files)
    words = named[_choice(named, stated, config, origin=origin)] if named else {}
    if not words:
        raise DataError(
            f"{origin}: no .parquet files found. Other files of the hub are not read; many data "
            "sets have their Parquet files in the revision `refs/convert/parquet`, for which "
            "`data.revision` is there."
        )
    splits = {file: split_of(word) for file, word in words.items()}
    if not any(splits.values()):
        return Chosen(dict.fromkeys(splits, ""), {})
    strange = Counter(words[file] or "(none)" for file, split in splits.items() if split is None)
    return Chosen(
        {file: split for file, split in splits.items() if split},
        {f"file of the split {word!r}": count for word, count in strange.items()},
    )


def _stated(readme: str, *, origin: str) -> list[Mapping[str, Any]]:
    """The configurations that README.md lists with their files."""
    found = _FRONT_MATTER.match(readme.replace("\r\n", "\n"))
    if not found:
        return []
    try:
        content = parse_value(found[1], origin="README.md")
    except UsageError as error:
        raise DataError(f"{origin}: {error}") from error
    configs = content.get("configs") if isinstance(content, Mapping) else None
    if configs is None:
        return []
    if not isinstance(configs, list) or not all(isinstance(each, Mapping) for each in configs):
        raise DataError(f"{origin}: README.md: `configs` must be a list of mappings.")
    return [each for each in configs if "data_files" in each or "data_dir" in each]


def _of_configs(
    files: Sequence[str], stated: Sequence[Mapping[str, Any]], *, origin: str
) -> dict[str, dict[str, str]]:
    """For each configuration of README.md its files, each with the word for its split."""
    found: dict[str, dict[str, str]] = {}
    for each in stated:
        own = found.setdefault(_text(each.get("config_name", "default"), origin), {})
        folder = _text(each.get("data_dir", ""), origin).removeprefix("./").strip("/")
        for word, pattern in _patterns(each.get("data_files", "**"), origin):
            whole = "/".join(part for part in (folder, pattern.removeprefix("./")) if part)
            for file in files:
                if fnmatchcase(file, whole.replace("**/", "*")):
                    own.setdefault(file, _word(file) if word is None else word)
    return found


def _patterns(stated: Any, origin: str) -> Iterator[tuple[str | None, str]]:
    """Pairs of a split's word and a pattern of its files, in any of the forms of the hub."""
    if isinstance(stated, str):
        yield None, stated
    elif isinstance(stated, Mapping):
        for word, patterns in stated.items():
            yield from (
                (_text(word, origin), pattern) for _, pattern in _patterns(patterns, origin)
            )
    elif isinstance(stated, list):
        for each in stated:
            if isinstance(each, Mapping) and "path" in each:
                word = _text(each["split"], origin) if "split" in each else None
                yield from ((word, pattern) for _, pattern in _patterns(each["path"], origin))
            else:
                yield None, _text(each, origin)
    else:
        _text(stated, origin)


def _text(value: Any, origin: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{origin}: README.md: in `configs`, {shown(value)} must be text.")
    return value


def _of_folders(files: Sequence[str]) -> dict[str, dict[str, str]]:
    """For each folder that is no split its files, each with the word for its split."""
    found: dict[str, dict[str, str]] = {}
    for file in files:
        first, *below = PurePosixPath(file).parts
        is_config = below and first not in PLAIN_FOLDERS and split_of(first) is None
        found.setdefault(first if is_config else "default", {})[file] = _word(file)
    return found


def _word(file: str) -> str:
    """The word for the split in the name of a file or of its folder; "" where there is none."""
    path = PurePosixPath(file)
    first, *more = path.stem.split("-")
    known = next((word for word in (first, path.parent.name) if split_of(word)), "")
    return known or (first if more else "")


def _choice(
    named: Mapping[str, object],
    stated: Sequence[Mapping[str, Any]],
    config: str | None,
    *,
    origin: str,
) -> str:
    if config is not None:
        if config in named:
            return config
        raise UsageError(
            f"data.config = {config}: {origin} has no such configuration; "
            f"{nearest(config, list(named))}."
        )
    first = next(
        (str(each.get("config_name")) for each in stated if each.get("default")), "default"
    )
    if first in named:
        return first
    if len(named) == 1:
        return next(iter(named))
    raise UsageError(
        f"{origin} has {len(named)} configurations: {', '.join(sorted(named))}. "
        "Choose one with `data.config=NAME`."
    )
