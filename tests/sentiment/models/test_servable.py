import json
import shutil

import pytest

from sentiment.models.servable import Manifest, Servable
from tests.helpers import tiny_servables

KINDS = ("linear", "transformer", "cascade")


@pytest.fixture(scope="module")
def servables(tmp_path_factory):
    return {kind: tiny_servables.save(kind, tmp_path_factory.mktemp(kind)) for kind in KINDS}


def changed(servable, folder, **changes):
    shutil.copytree(servable.path, folder)
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return Servable(folder)


def test_a_manifest_comes_back_as_it_was(tmp_path):
    manifest = Manifest(
        "cascade", {"band": 1.5}, 1.2, 0.9, "abc", {"numpy": "2"}, "c0ffee", "numpy", ("avx2",), ("bad", "good")
    )
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest


@pytest.mark.parametrize("kind", KINDS)
def test_made_again_it_is_the_same(kind, servables, tmp_path):
    assert tiny_servables.save(kind, tmp_path).fingerprint == servables[kind].fingerprint


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_the_same(kind, servables, tmp_path):
    shutil.copytree(servables[kind].path, tmp_path / "copy")
    assert Servable(tmp_path / "copy").fingerprint == servables[kind].fingerprint


@pytest.mark.parametrize(
    "changes",
    [{"git_commit": "another"}, {"engine": "another"}, {"versions": {"numpy": "0"}}, {"data_fingerprint": "another"}],
)
def test_how_it_came_to_be_does_not_count(changes, servables, tmp_path):
    assert changed(servables["linear"], tmp_path / "x", **changes).fingerprint == servables["linear"].fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 7.0},
        {"labels": ["bad", "good"]},
        {"settings": {"max_length": 9}},
        {"bias": 0.1},
        {"threshold": 0.4},
    ],
)
def test_only_answers_count(changes, servables, tmp_path):
    original = servables["transformer"]
    assert changed(original, tmp_path / "x", **changes).fingerprint != original.fingerprint


def test_a_servable_of_before_thresholds_keeps_its_fingerprint(servables, tmp_path):
    original = servables["linear"]
    older = changed(original, tmp_path / "x")
    values = json.loads((older.path / "manifest.json").read_text())
    for name in ("bias", "threshold", "validation_macro_f1"):
        del values[name]
    (older.path / "manifest.json").write_text(json.dumps(values))
    assert (Servable(older.path).manifest.bias, Servable(older.path).manifest.threshold) == (0.0, 0.5)
    assert Servable(older.path).fingerprint == original.fingerprint


@pytest.mark.parametrize(
    "file", ["linear/linear.npy", "transformer/model.onnx", "transformer/openvino.bin", "transformer/tokenizer.json"]
)
def test_every_byte_of_the_model_counts(file, servables, tmp_path):
    shutil.copytree(servables["cascade"].path, tmp_path / "copy")
    with (tmp_path / "copy" / file).open("ab") as stream:
        stream.write(b"!")
    assert Servable(tmp_path / "copy").fingerprint != servables["cascade"].fingerprint


def test_the_size_is_that_of_the_files(servables):
    servable = servables["cascade"]
    assert servable.size_mb == pytest.approx(sum(f.stat().st_size for f in servable.files) / 1e6)
    assert {f.name for f in servable.files} == {
        "manifest.json", "operating_points.json", "linear.npy", "model.onnx", "openvino.xml", "openvino.bin",
        "tokenizer.json",
    }  # fmt: skip
