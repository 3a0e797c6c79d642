"""Files with DVC pointers. The pointers and MD5s were written by DVC 3.67.1 (and its hash of before version 3)."""

import pytest

from sentiment.errors import UserError
from sentiment.reviews import pointers
from sentiment.reviews.files import read
from sentiment.reviews.sources import SourceSettings, source_fingerprint

REVIEWS = 'text,label\r\nfine,pos\r\n"bäd",neg\r\n'.encode()
MD5, SHELF_MD5 = "8a6c79f398b1a1be95d7886c27da0e14", "9607c294baee84a766ce06276040f588.dir"
SHELF = {"a.csv": "text,label\na,pos\n", "B.csv": "x\n", "sub/ü.csv": "z\n"}


def point(md5, path, size=None, form="  hash: md5\n"):
    sized = "" if size is None else f"  size: {size}\n"
    return f"outs:\n- md5: {md5}\n{sized}{form}  path: {path}\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_bytes(REVIEWS)
    (tmp_path / "reviews.csv.dvc").write_text(point(MD5, "reviews.csv", len(REVIEWS)))
    return path


@pytest.fixture
def shelf(tmp_path):
    for name, text in SHELF.items():
        path = tmp_path / "shelf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "shelf.dvc").write_text(point(SHELF_MD5, "shelf", 21, "  nfiles: 3\n  hash: md5\n"))
    return tmp_path / "shelf"


def fingerprint(path):
    return source_fingerprint(SourceSettings(source=f"file:{path}"))


def refusal(path):
    with pytest.raises(UserError) as error:
        read(str(path))
    with pytest.raises(UserError) as again:
        fingerprint(path)
    assert str(again.value) == str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_pointer_of_a_file_is_its_version(file, monkeypatch):
    assert fingerprint(file) == fingerprint(f"{file}.dvc") == f"file:dvc:{MD5}"
    assert read(f"{file}.dvc")["label"].tolist() == read(str(file))["label"].tolist() == ["pos", "neg"]
    monkeypatch.chdir(file.parent)
    assert fingerprint("reviews.csv") == fingerprint("reviews.csv.dvc") == f"file:dvc:{MD5}"


def test_a_file_without_a_pointer_is_named_by_its_sha_256(file):
    file.with_name("reviews.csv.dvc").unlink()
    assert len(fingerprint(file)) == len("file:") + 64


def test_a_file_that_differs_from_its_pointer_is_refused(file):
    remedy = "Run dvc checkout to restore the recorded version, or dvc add to record this one."
    file.write_bytes(REVIEWS.replace(b"fine", b"good"))
    words = f"{file}: differs from its .dvc pointer: MD5 "
    assert refusal(file).startswith(words) and refusal(f"{file}.dvc").endswith(f", not {MD5}. {remedy}")
    file.write_bytes(REVIEWS + b"more,pos\r\n")
    assert refusal(file) == f"{file}: differs from its .dvc pointer: 44 bytes, not 34. {remedy}"


def test_a_file_that_was_not_pulled_is_refused(file):
    file.unlink()
    expected = f"{file}: no such file, only its .dvc pointer. Run dvc pull."
    assert refusal(file) == refusal(f"{file}.dvc") == expected


def test_the_pointer_of_a_folder_is_the_version_of_its_files(shelf):
    assert fingerprint(shelf / "a.csv") == f"file:dvc:{SHELF_MD5}/a.csv"
    assert fingerprint(shelf / "sub" / "ü.csv") == f"file:dvc:{SHELF_MD5}/sub/ü.csv"  # another file of the same folder
    assert read(str(shelf / "a.csv"))["text"].tolist() == ["a"]
    assert "this is a folder, not a file. Name a file in it" in refusal(f"{shelf}.dvc")
    (shelf / "B.csv").write_text("changed\n")
    assert "differs from its .dvc pointer" in refusal(shelf / "a.csv")
    (shelf / "a.csv").unlink()
    assert "Run dvc pull." in refusal(shelf / "a.csv")


def test_the_md5_of_a_folder_is_refused_for_a_file_and_that_of_a_file_for_a_folder(file, shelf):
    nothing = "d751713988987e9331980363e24189ce.dir"  # of a folder without files
    file.with_name("reviews.csv.dvc").write_text(point(nothing, "reviews.csv"))
    assert "differs from its .dvc pointer: the MD5 is that of a folder" in refusal(file)
    shelf.with_name("shelf.dvc").write_text(point(MD5, "shelf"))
    assert "differs from its .dvc pointer: the MD5 is that of a file" in refusal(shelf / "a.csv")


@pytest.mark.parametrize(
    ("data", "md5"),
    [
        (b"x" + b"a line\r\n" * 300_000, "c9e40a474fd71b73a2cac7cc095cd87c"),  # line ends on the edges of blocks
        (b"PAR1\0\r\n\r\n" * 1000, "921883e1dfa040d013975bfc9c7cf121"),  # no text: as it is
        (b"", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_pointers_of_before_dvc_3_hash_texts_with_other_line_ends(tmp_path, data, md5):
    path = tmp_path / "old.csv"
    path.write_bytes(data)
    (tmp_path / "old.csv.dvc").write_text(point(md5, "old.csv", len(data), form=""))
    assert pointers.locate(str(path)) == (str(path), md5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a DVC pointer"),
        ("outs: 5\n", "not a DVC pointer"),
        ("outs: [", "not a DVC pointer"),
        ("deps: []\n", "not a DVC pointer"),
        (point(MD5, "other.csv"), "names no MD5 of reviews.csv"),
        ("outs:\n- path: reviews.csv\n  etag: abc\n", "names no MD5 of reviews.csv"),
    ],
)
def test_a_pointer_that_says_nothing_is_refused(file, text, words):
    file.with_name("reviews.csv.dvc").write_text(text)
    assert words in refusal(file)


def test_a_pointer_may_be_elsewhere(file):
    elsewhere = file.parent / "pointers"
    elsewhere.mkdir()
    (elsewhere / "newest.dvc").write_text("wdir: ..\n" + point(MD5, "reviews.csv"))
    assert fingerprint(elsewhere / "newest.dvc") == f"file:dvc:{MD5}"
    assert "no such file. Check the path" in refusal(elsewhere / "missing.dvc")


def test_an_address_has_no_pointer():
    assert pointers.locate("s3://bucket/reviews.csv") == ("s3://bucket/reviews.csv", None)
