"""Builds a Bento of a servable."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import bentoml
import pytest

from bento.build import ROOT, build
from sentiment.errors import UserError


def test_carries_where_it_comes_from(bento):
    stored = bentoml.bentos.get(bento.tag)
    expected = {"model": "sentiment", "model_version": "7", "pipeline_run": "train-1", "git_commit": "0123abc"}
    assert expected.items() <= stored.info.labels.items()
    assert expected.items() <= bento.labels.items()
    (model,) = stored.info.all_models
    assert model.tag.version not in (None, "latest")
    assert expected.items() <= bentoml.models.get(model.tag).info.labels.items()


def test_holds_the_service_and_nothing_that_trains(bento):
    source = Path(bentoml.bentos.get(bento.tag).path) / "src"
    files = {file.relative_to(source).as_posix() for file in source.rglob("*.py")}
    assert {"bento/service.py", "sentiment/models/classifier.py"} <= files
    assert not [f for f in files if f.startswith(("steps", "pipelines", "sentiment/reviews", "tests"))]
    assert "sentiment/models/trainer.py" not in files


def test_the_same_model_is_the_same_bento(bento, servable):
    created = bentoml.bentos.get(bento.tag).info.creation_time
    again = build(servable, model="sentiment", version="7", labels=bento.labels)
    assert again.tag == bento.tag
    assert bentoml.bentos.get(bento.tag).info.creation_time == created


def test_another_version_is_another_bento_with_its_own_model(bento, servable):
    other = build(servable, model="sentiment", version="8", labels={})
    assert other.tag != bento.tag
    models = [{m.tag for m in bentoml.bentos.get(t).info.all_models} for t in (bento.tag, other.tag)]
    assert not models[0] & models[1]


def test_a_folder_without_a_servable_is_one_line(tmp_path):
    with pytest.raises(UserError, match="manifest"):
        build(tmp_path, model="sentiment", version="1", labels={})


def test_pins_are_those_of_the_project():
    def pins(path):
        lines = (ROOT / path).read_text().splitlines()
        return dict(line.partition(" ")[0].split("==") for line in lines if "==" in line and not line.startswith("#"))

    ours, theirs = pins("bento/requirements.txt"), pins("requirements.txt")
    assert {"bentoml", "grpcio", "onnxruntime", "openvino", "tokenizers"} <= set(ours)
    assert not {"torch", "transformers", "zenml", "mlflow", "pandas", "scikit-learn"} & set(ours)
    assert {name: pin for name, pin in ours.items() if theirs.get(name) != pin} == {}
    assert version("bentoml") == ours["bentoml"]


def test_the_stubs_are_current(tmp_path):
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([*command, "bento/stubs/sentiment.proto"], cwd=ROOT, check=True)
    for made in (tmp_path / "bento" / "stubs").iterdir():
        assert made.read_text() == (ROOT / "bento" / "stubs" / made.name).read_text(), "run `make stubs`"


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["the model", "the code", "the labels"])
def test_a_damaged_or_foreign_bento_is_rebuilt(harm, servable):
    labels = {"pipeline_run": "train-1"}
    before = build(servable, model="harmed", version="1", labels=labels)
    stored = bentoml.bentos.get(before.tag)
    file = {
        "the model": next(Path(bentoml.models.get(stored.info.all_models[0].tag).path).rglob("*.onnx")),
        "the code": Path(stored.path) / "src" / "bento" / "service.py",
        "the labels": Path(stored.path) / "bento.yaml",
    }[harm]
    good = file.read_bytes()
    if harm == "the labels":  # as after ZenML was emptied: it counts versions from 1 again
        labels = {"pipeline_run": "train-2"}
    else:
        file.write_bytes(good[: len(good) // 2])
    again = build(servable, model="harmed", version="1", labels=labels)
    assert again.tag == before.tag
    assert bentoml.bentos.get(again.tag).info.labels == again.labels
    assert (file.read_bytes() == good) is (harm != "the labels")
