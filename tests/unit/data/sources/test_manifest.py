import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from understudy.core.errors import DataError, UnderstudyError, UsageError
from understudy.data.decode import Decoding
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.listing import Listing
from understudy.data.sources.manifest import ManifestSettings

WriteImages = Callable[..., Path]


@pytest.fixture
def photos(tmp_path: Path, write_images: WriteImages) -> Path:
    """a/0.png to a/5.png, b/0.png to b/5.png, and the place for a table."""
    return write_images(tmp_path / "photos", {"a": 6, "b": 6})


def write(folder: Path, *lines: str, name: str = "labels.csv", end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes((end.join(lines) + end).encode())
    return path


def listing_of(path: Path, **settings: object) -> Listing:
    return ManifestSettings.model_validate({"path": path, **settings}).listing()


def message_of(path: Path, **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        listing_of(path, **settings)
    assert caught.value.exit_code == 3
    return str(caught.value)


def told(listing: Listing) -> list[tuple[str, str, str, str]]:
    """Name, class, split and group of every entry."""
    names = (*listing.classes, "")  # -1 is the last: none
    return [(e.name, names[e.label], e.split, e.group) for e in listing.entries]


PLAIN = ("path,label", "a/0.png,cat", "a/1.png,dog", "b/0.png,cat", "b/1.png,dog")


def test_paths_and_labels_suffice(photos: Path) -> None:
    listing = listing_of(write(photos, *PLAIN), size=8, channels="grey")

    assert listing.classes == ("cat", "dog")
    assert told(listing) == [
        ("a/0.png", "cat", "", ""),
        ("a/1.png", "dog", "", ""),
        ("b/0.png", "cat", "", ""),
        ("b/1.png", "dog", "", ""),
    ]
    assert listing.read(2) == (photos / "b/0.png").read_bytes()
    assert listing.decoding == Decoding("grey", 8)


def test_the_order_of_rows_is_of_no_account(photos: Path) -> None:
    first = listing_of(write(photos, *PLAIN))

    for rows in itertools.permutations(PLAIN[1:]):
        assert listing_of(write(photos, PLAIN[0], *rows)).entries == first.entries


def test_splits_and_groups_are_read_where_they_are_given(photos: Path) -> None:
    path = write(
        photos,
        "group,split,label,path",
        "s1,Training,cat,a/0.png",
        "s2,train,dog,a/1.png",
        "s3,validation,cat,a/2.png",
        ",TEST,dog,a/3.png",
        "s1,unlabelled,,a/4.png",
        "s9,train,,a/5.png",
    )

    assert told(listing_of(path)) == [
        ("a/0.png", "cat", "train", "s1"),
        ("a/1.png", "dog", "train", "s2"),
        ("a/2.png", "cat", "val", "s3"),
        ("a/3.png", "dog", "test", ""),
        ("a/4.png", "", "unlabeled", "s1"),
        ("a/5.png", "", "unlabeled", "s9"),
    ]


def test_a_table_may_mark_its_test_images_alone(photos: Path) -> None:
    rows = [f"{row}," for row in PLAIN[1:]]

    listing = listing_of(write(photos, "path,label,split", *rows, "b/2.png,cat,test"))

    assert [split for *_, split, _ in told(listing)] == ["", "", "", "", "test"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_usual_form_of_text_gives_the_same_images(
    photos: Path, delimiter: str, end: str, encoding: str
) -> None:
    strange = photos / "ü, x;y\t.png"
    strange.write_bytes(b"strange")
    lines = [("path", " label", "note"), ("a/0.png", "кот ", "1"), ("a/1.png", 'a "b"', "")]
    quoted = '"ü, x;y\t.png"', '"1,5;\n\t2"', '"of two\nlines"'
    plain = [tuple(v if '"' not in v else '"a ""b"""' for v in line) for line in lines]
    text = end.join(delimiter.join(line) for line in [*plain, quoted]) + end
    path = photos / "labels.csv"
    path.write_bytes(text.encode(encoding))

    listing = listing_of(path)

    assert [entry.name for entry in listing.entries] == ["a/0.png", "a/1.png", "ü, x;y\t.png"]
    assert set(listing.classes) == {"кот", 'a "b"', "1,5;\n\t2"}


def test_a_parquet_file_may_be_the_table(photos: Path) -> None:
    columns = {
        "path": ["a/0.png", "a/1.png", "a/2.png"],
        "label": [7.0, 12.0, float("nan")],
        "group": pa.array(["x", None, "y"]).dictionary_encode(),
        "pixels": [[1, 2]] * 3,
    }
    pq.write_table(pa.table(columns), photos / "labels.parquet")

    listing = listing_of(photos / "labels.parquet")

    assert told(listing) == [
        ("a/0.png", "7", "", "x"),
        ("a/1.png", "12", "", ""),
        ("a/2.png", "", "unlabeled", "y"),
    ]


def test_numbers_are_names_in_their_natural_order(photos: Path) -> None:
    rows = [f"a/{place},{label}" for place, label in zip(range(4), (10, 9, 2, 1), strict=True)]

    listing = listing_of(write(photos, "path,label", *[r.replace(",", ".png,") for r in rows]))

    assert listing.classes == ("1", "2", "9", "10")


def test_a_table_and_class_folders_of_the_same_images_have_the_same_classes(photos: Path) -> None:
    rows = [f"{folder}/0.png,{folder}" for folder in "ba"]

    table, folders = listing_of(write(photos, "path,label", *rows)), FolderSettings(path=photos)

    assert table.classes == folders.listing().classes


def test_columns_may_have_other_names_in_any_letter_case(photos: Path) -> None:
    path = write(photos, "FILE_NAME;Species;Patient", "a/0.png;cat;p", "a/1.png;dog;q")

    listing = listing_of(
        path, path_column="file_name", label_column="species", group_column="patient"
    )

    assert [group for *_, group in told(listing)] == ["p", "q"]


def test_paths_may_start_elsewhere_and_be_absolute_or_of_windows(
    photos: Path, tmp_path: Path
) -> None:
    rows = [f"{photos}/a/0.png,cat", "b\\0.png,dog", "a/../b/./1.png,dog"]
    (tmp_path / "tables").mkdir()
    path = write(tmp_path / "tables", "path,label", *rows)

    names = [entry.name for entry in listing_of(path, root=photos).entries]

    assert names == ["a/0.png", "b/0.png", "b/1.png"]


def test_a_path_below_a_link_to_the_root_is_inside(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(photos)
    path = write(photos, "path,label", f"{photos}/a/0.png,cat", "a/1.png,dog")

    names = [entry.name for entry in listing_of(tmp_path / "link" / path.name).entries]

    assert names == ["a/0.png", "a/1.png"]


def test_what_is_read_over_is_counted(photos: Path) -> None:
    path = write(
        photos, "path,label,split", *[f"{row},train" for row in PLAIN[1:]], ",,", "",
        "a/5.png,cat,unlabeled",
    )  # fmt: skip

    listing = listing_of(path)

    assert listing.ignored == {
        "row of empty values": 1,
        "label of an image in the split `unlabeled`": 1,
    }


def test_a_pool_beside_the_table_leaves_out_what_the_table_names(photos: Path) -> None:
    listing = listing_of(write(photos, *PLAIN), unlabeled=photos)

    pool = [entry for entry in listing.entries if entry.split == "unlabeled"]
    assert [entry.name for entry in pool] == [
        f"data.unlabeled/{folder}/{number}.png" for folder in "ab" for number in (2, 3, 4, 5)
    ]
    assert listing.read(4) == (photos / "a/2.png").read_bytes()
    assert listing.ignored["image of data.unlabeled that the data names already"] == 4


def test_every_mistake_is_told_at_once_with_its_line(photos: Path) -> None:
    path = write(
        photos,
        "path,label,split",
        "a/0.png,cat,train",
        "a/9.png,cat,train",
        "a/1.png,dog,holdout",
        '"a/2.png","dog\n",train',
        "a/3.png,dog",
        "a/3.png,do,g,train",
        "/etc/hostname,dog,train",
        "a,dog,train",
        ",dog,train",
        "a/4.png,,test",
        "a/0.png,dog,train",
        "./a/2.png,dog,test",
        "a/5.png,dog,",
        "a/\0.png,dog,train",
    )

    message = message_of(path)

    assert message.splitlines() == [
        f"{path}: 12 mistakes; correct the table, or take these rows away.",
        f"  1 x no such file below {photos}; `data.root=FOLDER` names where paths start:",
        "    line 3: a/9.png",
        "  1 x no known split; known are train, training, val, valid, validation, test, testing, "
        "unlabeled, unlabelled, unsupervised:",
        "    line 4: 'holdout'",
        "  2 x more or fewer values than the 3 of the first line:",
        "    line 7: 2 values",
        "    line 8: 4 values",
        f"  1 x an absolute path outside {photos}; set `data.root` to a folder around all images:",
        "    line 9: /etc/hostname",
        "  1 x no file, but a folder or device:",
        "    line 10: a",
        "  1 x no path:",
        "    line 11: empty",
        "  1 x no label, though for validation or test; such images may be in `unlabeled`:",
        "    line 12: a/4.png",
        "  1 x no file that can be read:",
        "    line 16: 'a/\\x00.png' (embedded null byte)",
        "  1 x one image under several labels:",
        "    a/0.png: 'cat' (line 2), 'dog' (line 13)",
        "  1 x one image more than once:",
        "    a/2.png: line 5 (train), line 14 (test)",
        "  1 x no split, while others have one:",
        "    line 15: a/5.png",
    ]


def test_of_many_mistakes_of_a_kind_ten_are_shown(photos: Path) -> None:
    rows = [f"gone/{number}.png,cat" for number in range(300)]

    message = message_of(write(photos, *PLAIN, *rows))

    assert len(message.splitlines()) == 13
    assert message.endswith("    line 15: gone/9.png\n    and 290 more")


@pytest.mark.parametrize(
    ("header", "settings", "told"),
    [
        ("image,label", {}, "path  no such column; `data.path_column=NAME` names another"),
        ("paths,label", {}, "path  no such column; did you mean 'paths'? `data.path_column=NAME`"),
        ("path,label,groups", {}, "groups  is nearly `group`: set `data.group_column=groups`"),
        ("path,label,Splits", {}, "Splits  is nearly `split`: set `data.split_column=Splits`"),
        ("path,label", {"group_column": "patient"}, "patient  no such column"),
        ("path,label,label", {}, "label  stands 2 times"),
        ("a/0.png,cat", {}, "The first line names the columns: 'a/0.png', 'cat'."),
    ],
)
def test_columns_that_are_missing_or_unclear_are_told_with_those_that_are_there(
    photos: Path, header: str, settings: dict[str, str], told: str
) -> None:
    path = write(photos, header, "a/0.png,cat", "a/1.png,dog")

    message = message_of(path, **settings)

    assert told in message
    assert repr(header.split(",")[0]) in message


def test_all_columns_are_told_at_once(photos: Path) -> None:
    message = message_of(write(photos, "id,class,groups", "1,2,3"))

    assert message.startswith(f"{photos / 'labels.csv'}: 3 mistakes")


def test_images_inside_a_parquet_file_are_sent_to_their_own_kind(photos: Path) -> None:
    images = [{"bytes": b"x", "path": "1.png"}]
    pq.write_table(pa.table({"image": images, "label": [0]}), photos / "x.parquet")

    assert "'image' cannot be read as text; images inside a Parquet file are read with " in (
        message := message_of(photos / "x.parquet")
    )
    assert "`data.kind=parquet`" in message


def test_latin_1_is_refused_with_its_line(photos: Path) -> None:
    path = write(photos, *PLAIN)
    path.write_bytes(path.read_bytes() + "a/2.png,caf\xe9\n".encode("latin-1"))

    message = message_of(path)

    assert "line 6 is no UTF-8 text: it has the byte E9" in message
    assert "Save the file again in the encoding UTF-8." in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty. Its first line must name the columns."),
        ("path,label\n", "no images found"),
        ('path,label\na/0.png,"cat\n', "the row that begins on line 2 cannot be read"),
        ('path,label\n"a/0.png"x,cat\n', "the row that begins on line 2 cannot be read"),
        ("path,label\na/0.png,cat\n", "at least 2 classes are needed; found only 'cat'"),
        ("path,label,split\na/0.png,a,train\na/1.png,b,test\n", "classes that train lacks: 'b'"),
    ],
)
def test_tables_that_are_none_are_refused(photos: Path, text: str, told: str) -> None:
    path = photos / "labels.csv"
    path.write_text(text)

    assert told in message_of(path)


def test_a_folder_and_an_absent_file_are_usage_errors(photos: Path) -> None:
    with pytest.raises(UsageError, match=r"is no file\. Name the table, or set `data\.kind=fold"):
        listing_of(photos)
    write(photos, *PLAIN)
    with pytest.raises(UsageError, match=r"did you mean .*labels\.csv"):
        listing_of(photos / "label.csv")
    with pytest.raises(UsageError, match=r"data\.root = .*nowhere: does not exist"):
        listing_of(photos / "labels.csv", root=photos / "nowhere")


def test_a_pipe_is_not_waited_for(photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")

    message = message_of(write(photos, *PLAIN, "pipe.png,cat"))

    assert "1 x no file, but a folder or device:\n    line 6: pipe.png" in message


USUAL_WORDS = "path label split group a/0.png a/1.png b/0.png cat dog train test val unlabeled"
STRANGE_WORDS = ["", " ", '"', "é", "\0", "..", "/", "\\", "a" * 300, "1e309"]
WORDS = st.sampled_from([*USUAL_WORDS.split(), *STRANGE_WORDS])
ROWS = st.lists(st.lists(WORDS, max_size=5), max_size=8)


def clean(path: Path) -> Listing | None:
    """The listing, or None where it is refused in words; any other error is a fault."""
    try:
        return listing_of(path)
    except UnderstudyError as error:
        assert error.exit_code in (2, 3)
        assert str(error)
        return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(content=st.binary(max_size=200))
@example(content=b"PAR1")
@example(content=b"\xff\xfep")
@example(content=b"\xef\xbb\xbf")
def test_any_bytes_are_a_listing_or_refused_in_words(photos: Path, content: bytes) -> None:
    path = photos / "labels.csv"
    path.write_bytes(content)

    clean(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(rows=ROWS, delimiter=st.sampled_from(",;\t"), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_table_is_read_whole_or_refused_in_words(
    photos: Path, rows: Sequence[Sequence[str]], delimiter: str, end: str
) -> None:
    header = delimiter.join(["path", "label", "split", "group"])
    good = [["a/0.png", "x", "", ""], ["a/1.png", "y", "", ""]]
    lines = [header, *(delimiter.join(row) for row in [*good, *rows])]
    path = write(photos, *lines, end=end)

    listing = clean(path)

    if listing is not None:  # every row that holds anything is an image
        filled = [row for row in rows if any(value.strip() for value in row)]
        assert len(listing.entries) == len(filled) + 2 or '"' in "".join(map("".join, rows))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_any_damage_to_a_parquet_table_is_refused_in_words(
    photos: Path, data: st.DataObject
) -> None:
    path = photos / "labels.parquet"
    pq.write_table(pa.table({"path": ["a/0.png", "a/1.png"], "label": ["x", "y"]}), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)

    clean(path)
