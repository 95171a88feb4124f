"""The hub's layout in a folder; and the hub itself, as a small server here that answers like it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.core.errors import DataError, MissingResourceError, UnderstudyError, UsageError
from understudy.data.sources.hub import HubSettings
from understudy.data.sources.hub_layout import chosen
from understudy.data.sources.listing import Listing
from understudy.data.sources.parquet import ParquetSettings

PART = "00000-of-00001.parquet"


def write(root: Path, *names: str) -> Path:
    """Files of two rows, one of each class; each image's bytes name its file and row."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        images = [{"bytes": f"{name} {row}".encode(), "path": f"{row}.png"} for row in range(2)]
        table = pa.table({"image": images, "label": [0, 1]})
        features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
        written = json.dumps({"info": {"features": features}})
        pq.write_table(table.replace_schema_metadata({"huggingface": written}), path)
    return root


def listing_of(name: Path | str, **settings: object) -> Listing:
    return HubSettings.model_validate({"name": str(name), **settings}).listing()


def splits_of(listing: Listing) -> dict[str, str]:
    """The split of each file."""
    return {entry.name.split(":")[0]: entry.split for entry in listing.entries}


def test_a_copy_of_the_plain_layout_is_read_as_a_folder_of_parquet_files(tmp_path: Path) -> None:
    write(tmp_path, f"data/train-{PART}", f"data/test-{PART}", f"data/validation-{PART}")
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# Cats and dogs\n")

    own, folder = listing_of(tmp_path), ParquetSettings(path=tmp_path).listing()

    assert own.classes == folder.classes == ("cat", "dog")
    assert own.entries == folder.entries
    assert [own.read(index) for index in range(6)] == [folder.read(index) for index in range(6)]


CONFIGS = """---
dataset_info:
- config_name: small
configs:
- config_name: small
  data_files:
  - split: train
    path: small/one-*
  - split: test
    path: [small/two-*.parquet, 'small/**/three*']
- config_name: large
  default: true
  data_files:
    train: ./large/*
- config_name: tiny
  data_dir: tiny
---
"""
FILES = (
    f"small/one-{PART}",
    f"small/two-{PART}",
    "small/deep/three.parquet",
    "large/a.parquet",
    "large/b.parquet",
    f"tiny/train-{PART}",
)


def test_the_readme_says_which_files_are_which_split(tmp_path: Path) -> None:
    write(tmp_path, *FILES)
    (tmp_path / "README.md").write_text(CONFIGS)

    small, large, tiny = (
        splits_of(listing_of(tmp_path, config=name)) for name in ("small", None, "tiny")
    )

    assert small == {FILES[0]: "train", FILES[1]: "test", FILES[2]: "test"}
    assert large == {FILES[3]: "train", FILES[4]: "train"}
    assert tiny == {FILES[5]: "train"}


def test_folders_are_configurations_where_no_readme_says_so(tmp_path: Path) -> None:
    write(tmp_path, f"a/train-{PART}", "b/train/0000.parquet", "b/test/0000.parquet")

    assert splits_of(listing_of(tmp_path, config="b")) == {
        "b/test/0000.parquet": "test",
        "b/train/0000.parquet": "train",
    }
    with pytest.raises(UsageError, match=r"has 2 configurations: a, b\. Choose one with `data\.co"):
        listing_of(tmp_path)


def test_an_unknown_configuration_is_answered_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, *FILES)
    (tmp_path / "README.md").write_text(CONFIGS)

    with pytest.raises(UsageError, match=r"data\.config = smal: .*did you mean 'small'\?"):
        listing_of(tmp_path, config="smal")


def test_splits_of_no_meaning_here_are_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path, f"data/train-{PART}", f"data/extra-{PART}", "data/notes.parquet")

    listing = listing_of(tmp_path)

    assert set(splits_of(listing).values()) == {"train"}
    assert listing.ignored == {"file of the split 'extra'": 1, "file of the split '(none)'": 1}


def test_a_set_without_known_splits_is_split_here(tmp_path: Path) -> None:
    write(tmp_path, f"data/full-{PART}")

    assert [entry.split for entry in listing_of(tmp_path).entries] == ["", ""]


def test_a_copy_that_lacks_a_part_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "data/train-00000-of-00003.parquet", "data/train-00002-of-00003.parquet")

    with pytest.raises(DataError, match="1 of the files are missing, such as data/train-00001-of"):
        listing_of(tmp_path)


def test_a_set_without_parquet_files_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "train.tar").touch()

    with pytest.raises(DataError, match=r"no \.parquet files found.*refs/convert/parquet"):
        listing_of(tmp_path)


def test_hidden_files_are_no_part_of_it(tmp_path: Path) -> None:
    write(tmp_path, f"data/train-{PART}", f".cache/train-{PART}")

    assert list(splits_of(listing_of(tmp_path))) == [f"data/train-{PART}"]


@pytest.mark.parametrize("name", ["./gone", "~/no/such", "/gone/away", "a/b/c"])
def test_an_absent_folder_is_answered_with_what_is_there(name: str) -> None:
    with pytest.raises(UsageError, match=r"data\.name = .*does not exist\."):
        listing_of(name)


@pytest.mark.parametrize(
    "front",
    ["configs: 3", "configs: [3]", "a: [", "configs: [{data_files: 7}]", "- 1", "a: 1\na: 2"],
)
def test_a_readme_of_another_form_is_refused_or_without_meaning(front: str) -> None:
    try:
        files = chosen(["data/train-x.parquet"], f"---\n{front}\n---\n", config=None, origin="x")
    except DataError as error:
        assert str(error).startswith("x: ")
    else:
        assert list(files.splits.values()) == ["train"]
        assert front == "- 1"


VALUES = st.recursive(
    st.sampled_from(["train", "data/train-*", "**", "x", None, True, 3, "", "[", "data/*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["split", "path", "config_name", "data_files", "data_dir", "default", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(configs=VALUES, config=st.sampled_from([None, "x", "default"]))
def test_any_front_matter_is_understood_or_refused_in_words(
    configs: object, config: str | None
) -> None:
    readme = f"---\n{json.dumps({'configs': configs})}\n---\n"
    names = ["data/train-0.parquet", "x/test-0.parquet", "README.md"]

    try:
        files = chosen(names, readme, config=config, origin="here")
    except UnderstudyError as error:
        assert error.exit_code in (2, 3)
    else:
        assert files.splits
        assert set(files.splits) <= set(names[:2])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readme=st.binary(max_size=80))
def test_any_bytes_of_a_readme_are_understood_or_refused_in_words(
    tmp_path: Path, readme: bytes
) -> None:
    if not (tmp_path / "data").exists():
        write(tmp_path, f"data/train-{PART}")
    (tmp_path / "README.md").write_bytes(b"---\n" + readme)

    try:
        assert len(listing_of(tmp_path).entries) == 2
    except UnderstudyError as error:
        assert error.exit_code in (2, 3)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Answers(BaseHTTPRequestHandler):
    """What the hub answers for one data set, `cats/dogs`."""

    def __init__(self, root: Path, asked: list[str], *arguments: object) -> None:
        self.root, self.asked = root, asked
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        names = [p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file()]
        sizes = {name: (self.root / name).stat().st_size for name in sorted(names)}
        api, files = "/api/datasets/cats/dogs", "/datasets/cats/dogs/resolve/"
        if path.startswith((f"{api}/tree/", f"{api}/revision/")) and path.endswith("nowhere"):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith(f"{api}/tree/"):
            entries = [{"type": "file", "path": n, "size": s, "oid": n} for n, s in sizes.items()]
            self._send(200, json.dumps(entries).encode(), {})
        elif path == api or path.startswith(f"{api}/revision/"):
            siblings = [{"rfilename": name} for name in sizes]
            info = {"id": "cats/dogs", "sha": COMMIT, "siblings": siblings, "tags": []}
            self._send(200, json.dumps(info).encode(), {})
        elif (
            path.startswith(files) and (name := path.removeprefix(files).split("/", 1)[1]) in sizes
        ):
            if self.command == "GET":
                self.asked.append(name)
            content = (self.root / name).read_bytes()
            etag = f'"{sha256(content).hexdigest()}"'
            self._send(200, content, {"ETag": etag, "X-Repo-Commit": COMMIT})
        elif "/secret/" in path:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _send(self, code: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for key, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """The server's address, and which files were asked of it."""
    write(tmp_path / "hub", *FILES)
    (tmp_path / "hub/README.md").write_text(CONFIGS)
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, tmp_path / "hub", asked))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


READ = """
import sys
from understudy.cli.failures import exit_code_of
from understudy.core.progress import Silent
from understudy.data.content import content_digests, content_key
from understudy.data.sources.hub import HubSettings

def read():
    name, *words = sys.argv[1:]
    listing = HubSettings(name=name, **dict(word.split("=") for word in words)).listing()
    print(content_key(listing, content_digests(listing, Silent())))
    print(len(listing.entries), listing.entries[0].name)
    return 0

sys.exit(exit_code_of(read, debug=False))
"""
Read = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def read(tmp_path: Path, hub: tuple[str, list[str]]) -> Read:
    """Reads a data set in a process of its own, whose cache and hub the environment names."""

    def run(*words: str, home: str = "home", **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
        own = {"HF_HOME": str(tmp_path / home), "HF_ENDPOINT": hub[0], "HF_HUB_DISABLE_XET": "1"}
        return subprocess.run(
            [sys.executable, "-c", READ, *words],
            env={**kept, **own, "HOME": str(tmp_path), **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.mark.slow
def test_a_name_on_the_hub_is_fetched_once_and_is_the_same_from_any_cache(
    read: Read, hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    first = read("cats/dogs", "config=small")
    fetched = sorted(set(hub[1]))
    offline = read("cats/dogs", "config=small", HF_HUB_OFFLINE="1")
    elsewhere = read("cats/dogs", "config=small", home="elsewhere")
    copy = listing_of(tmp_path / "hub", config="small")

    assert first.returncode == 0, first.stderr
    assert fetched == sorted(["README.md", *FILES[:3]])  # and nothing of other configurations
    assert first.stdout == offline.stdout == elsewhere.stdout
    assert f"6 {copy.entries[0].name}" in first.stdout


@pytest.mark.slow
def test_what_cannot_be_fetched_is_said_with_what_to_do(read: Read) -> None:
    unknown = read("cats/dgos")
    gated = read("secret/dogs")
    revision = read("cats/dogs", "revision=nowhere")
    strange = read("cats and dogs")
    offline = read("cats/dogs", HF_HUB_OFFLINE="1")
    away = read("cats/dogs", HF_ENDPOINT="http://127.0.0.1:9")

    assert (unknown.returncode, gated.returncode) == (2, 2)
    assert "the hub has no such data set, or it is private" in unknown.stderr
    assert "asks its readers to agree to terms" in gated.stderr
    assert revision.returncode == 2
    assert "data.revision = nowhere: cats/dogs has no such revision" in revision.stderr
    assert strange.returncode == 2
    assert "must be OWNER/NAME" in strange.stderr
    for unreached in (offline, away):
        assert unreached.returncode == 7
        assert "Run the command again with a connection, or name a folder" in unreached.stderr
    assert "Traceback" not in "".join(r.stderr for r in (unknown, gated, strange, offline, away))


def test_without_the_library_a_name_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    write(tmp_path, f"data/train-{PART}")

    with pytest.raises(MissingResourceError, match=r"pip install 'understudy\[hub\]'") as caught:
        listing_of("cats/dogs")

    assert caught.value.exit_code == 7
    assert len(listing_of(tmp_path).entries) == 2  # a copy in a folder needs no library
