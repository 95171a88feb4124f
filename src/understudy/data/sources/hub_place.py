"""Where a data set of the Hugging Face hub lies: in a folder here, or there with a copy in a cache.

The cache is the hub's own (`HF_HOME`), shared with every other program that reads from the hub.
"""

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from understudy.core.errors import DataError, MissingResourceError, UnderstudyError, UsageError
from understudy.core.files import storage_errors

README = "README.md"


class Place(NamedTuple):
    """A data set whose files need not be here yet."""

    names: list[str]
    """All its files, with forward slashes."""
    readme: str
    """The content of README.md; "" where there is none."""
    fetch: Callable[[Sequence[str]], Path]
    """Brings some of its files here, and gives the folder that their names start from."""


def in_folder(root: Path) -> Place:
    """A copy in a folder.

    Raises:
        DataError: Its README.md is no text.
    """
    return Place(_names_in(root), _readme(root), lambda _: root)


def on_hub(name: str, *, revision: str | None) -> Place:
    """A data set by its name on the hub; where the hub is out of reach, what its cache here holds.

    Raises:
        UsageError: There is no such data set or revision, or it may not be read.
        MissingResourceError: The library is missing, or the hub is out of reach and the files are
            not in the cache.
        StorageError: The disk refuses the files.
    """
    with _hub_errors(name, revision):
        root = _snapshot(name, revision, [README])
        names = _names(name, root)
    commit = root.name  # pinned: the files are those of the README, whatever happens meanwhile

    def fetch(files: Sequence[str]) -> Path:
        with _hub_errors(name, revision):
            return _snapshot(name, commit, files)

    return Place(names, _readme(root), fetch)


def _snapshot(name: str, revision: str | None, files: Sequence[str]) -> Path:
    from huggingface_hub import constants, snapshot_download  # an extra, and half a second

    with storage_errors(Path(constants.HF_HUB_CACHE)):
        folder = snapshot_download(
            name,
            repo_type="dataset",
            revision=revision,
            allow_patterns=[glob.escape(file) for file in files],
        )
    return Path(folder)


def _names(name: str, root: Path) -> list[str]:
    """The names of all files on the hub; of those in the cache where the hub is out of reach."""
    from huggingface_hub import HfApi

    try:
        return HfApi().list_repo_files(name, repo_type="dataset", revision=root.name)
    except Exception:  # two HTTP libraries, as below
        here = _names_in(root)
        if not any(file.endswith(".parquet") for file in here):
            raise
        return here


@contextmanager
def _hub_errors(name: str, revision: str | None) -> Iterator[None]:
    """Puts what the library raises into words."""
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise MissingResourceError(
            f"data.name = {name}: the hub is read with huggingface_hub, which is not installed. "
            "Run `pip install 'understudy[hub]'`, or name a folder that holds a copy."
        ) from error
    try:
        yield
    except UnderstudyError:
        raise
    except errors.HFValidationError as error:
        raise UsageError(
            f"data.name = {name}: must be OWNER/NAME of a data set on the hub, or a folder that "
            "exists."
        ) from error
    except errors.GatedRepoError as error:
        raise UsageError(
            f"data.name = {name}: asks its readers to agree to terms. Do so on its page on the "
            "hub, then log in with `hf auth login`."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UsageError(f"data.revision = {revision}: {name} has no such revision.") from error
    except errors.RepositoryNotFoundError as error:
        raise UsageError(
            f"data.name = {name}: the hub has no such data set, or it is private; then log in "
            "with `hf auth login`. A folder here of that name does not exist either."
        ) from error
    except Exception as error:  # two HTTP libraries, a cache, and what lies between
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise MissingResourceError(
            f"data.name = {name}: cannot be fetched from the hub, nor is it whole in the cache "
            f"here ({reason}). Run the command again with a connection, or name a folder that "
            "holds a copy."
        ) from error


def _names_in(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _readme(root: Path) -> str:
    path = root / README
    try:
        return path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({error}).") from error
