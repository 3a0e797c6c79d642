import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from sentiment.errors import UserError
from sentiment.models import Classifier, export, onnx_graph
from sentiment.models.batches import pad
from sentiment.models.checkpoint import TransformerCheckpoint
from sentiment.models.engines.openvino_engine import OpenVinoEngine
from sentiment.models.export import ExportSettings, export_transformer
from sentiment.models.onnx_graph import run_onnx
from sentiment.models.servable import Manifest
from sentiment.models.transformer import train_transformer
from sentiment.models.truncation import encode
from sentiment.reviews.table import Reviews
from tests.helpers import tiny_transformer as tiny

pytestmark = pytest.mark.slow


def export_settings(**changes):
    """Serving reads as many tokens as training did: the tiny models have few positions."""
    return ExportSettings(max_length=None, **changes)


@pytest.fixture(scope="module", params=["bert", "roberta", "distilbert"])
def checkpoint(request, tmp_path_factory):
    encoder = tiny.save_encoder(tmp_path_factory.mktemp("encoder"), request.param)
    settings = tiny.recipe(encoder, epochs=3)
    work_dir = tmp_path_factory.mktemp("work")
    return train_transformer(tiny.reviews(160, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=work_dir)


def torch_logits(path, ids):
    from transformers import AutoModelForSequenceClassification

    token_ids, mask = map(torch.from_numpy, pad(ids, 0))
    with torch.inference_mode():
        return (
            AutoModelForSequenceClassification.from_pretrained(path)
            .eval()(input_ids=token_ids, attention_mask=mask)
            .logits.numpy()
        )


def labelled_by(checkpoint, rows=200):
    """Reviews labelled by the float model, so that its accuracy is 1."""
    frame = tiny.reviews(rows, 3).frame
    tokenizer = Tokenizer.from_file(str(checkpoint.path / "tokenizer.json"))
    ids = encode(tokenizer, frame["text"].tolist(), 32, 1 / 3, cls_id=2, sep_id=3)
    return Reviews(frame.assign(label=torch_logits(checkpoint.path, ids).argmax(axis=1))), ids


def test_float_onnx_equals_torch(checkpoint, tmp_path):
    reviews, ids = labelled_by(checkpoint)
    report = export_transformer(checkpoint, reviews, tmp_path, export_settings(int8=False), seed=0)
    assert (report.precision, report.reason) == ("float32", "int8 is switched off")
    assert report.float_accuracy == 1
    assert not {"openvino-int8", "onnxruntime"} & {*report.accuracy, *report.engines}
    for rows in (ids[:1], ids[:5], sorted(ids, key=len)[:3]):  # other shapes than the traced one
        token_ids, mask = pad(rows, report.pad_id)
        expected = torch_logits(checkpoint.path, rows)
        served = run_onnx(tmp_path / "model.onnx", token_ids, mask)
        np.testing.assert_allclose(served, expected, atol=1e-5)
        engine = OpenVinoEngine(tmp_path, pad_id=report.pad_id, threads=1, precision="f32")
        np.testing.assert_allclose(engine.log_odds(rows), expected[:, 1] - expected[:, 0], atol=1e-2)  # 16-bit weights
    assert {path.name for path in tmp_path.iterdir()} == {
        "model.onnx", "openvino.bin", "openvino.xml", "tokenizer.json"
    }  # fmt: skip


def test_int8_is_kept_where_it_costs_nothing(checkpoint, tmp_path):
    report = export_transformer(checkpoint, tiny.reviews(200, 3), tmp_path, export_settings(int8_tolerance=0.1), seed=0)
    assert report.precision == "int8"
    assert report.accuracy["onnxruntime"] >= report.float_accuracy - 0.1
    assert {"openvino-int8", "onnxruntime"} <= set(report.engines)
    assert "keeps the accuracy" in report.reason
    assert report.bytes < report.float_bytes
    assert (report.bytes, report.rows) == ((tmp_path / "model.onnx").stat().st_size, 200)
    import onnx

    operators = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert "MatMulInteger" in operators


@pytest.mark.parametrize(
    ("engine", "bound"), [("onnxruntime", 1e-12), ("openvino-int8", 0.02), ("openvino-bf16", 0.02)]
)
def test_a_score_hardly_depends_on_its_batch(checkpoint, engine, bound, tmp_path, monkeypatch):
    """In bf16, the kernel of another shape rounds otherwise; int8 must not scale one text by the values of another."""
    report = export_transformer(checkpoint, tiny.reviews(50, 3), tmp_path, export_settings(int8_tolerance=1), seed=0)
    settings = report.model_dump(include={"engines", "max_length", "head_share", "cls_id", "sep_id", "pad_id"})
    Manifest("transformer", settings, 1.0, 0.9, "data", {}).write(tmp_path)
    monkeypatch.setenv("SENTIMENT_ENGINE", engine)
    texts = tiny.reviews(2000, 4).frame["text"].tolist()
    classifier = Classifier.load(tmp_path)
    alone = np.concatenate([classifier.predict_proba([text]) for text in texts])
    company = np.random.default_rng(0).permutation(len(texts))
    np.testing.assert_allclose(classifier.predict_proba([texts[i] for i in company]), alone[company], atol=bound)
    np.testing.assert_allclose(Classifier.load(tmp_path, threads=2).predict_proba(texts), alone, atol=bound)


@pytest.mark.parametrize("checkpoint", ["bert"], indirect=True)
def test_equal_models_are_equal_files(checkpoint, tmp_path):
    """Otherwise a repeated training would give a servable with another fingerprint."""
    for name in ("first", "second"):
        export_transformer(checkpoint, tiny.reviews(20, 3), tmp_path / name, export_settings(), seed=0)
    for file in ("model.onnx", "openvino.xml", "openvino.bin"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def outlier(checkpoint, folder):
    """The checkpoint with weights that int8 cannot hold, float computing exactly the same as without them.

    In both layers one unit of the feed-forward part is huge for every token, its outgoing weights zero. The one scale
    of all activations then leaves nothing of the others. Their weights are large, so the answer depends on them.
    """
    folder.mkdir()
    for path in checkpoint.path.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "model.safetensors")
    for layer in range(2):
        name = f"bert.encoder.layer.{layer}"
        weights[f"{name}.output.dense.weight"] *= -50
        weights[f"{name}.intermediate.dense.weight"] *= 20
        weights[f"{name}.intermediate.dense.bias"][0] = 1e5
        weights[f"{name}.output.dense.weight"][:, 0] = 0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return TransformerCheckpoint(folder, checkpoint.report)


@pytest.mark.parametrize("checkpoint", ["bert"], indirect=True)
def test_float_is_served_where_int8_loses_accuracy(checkpoint, tmp_path):
    broken = outlier(checkpoint, tmp_path / "checkpoint")
    reviews, ids = labelled_by(broken)
    report = export_transformer(broken, reviews, tmp_path / "served", export_settings(), seed=0)
    assert set(reviews.frame["label"]) == {0, 1}
    assert report.float_accuracy == 1
    assert report.accuracy["onnxruntime"] < 0.99
    assert report.agreement == report.accuracy
    assert report.precision == "float32"
    assert "onnxruntime" not in report.engines
    assert "int8 loses too much" in report.reason
    token_ids, mask = pad(ids, 0)
    served = run_onnx(tmp_path / "served" / "model.onnx", token_ids, mask)
    np.testing.assert_allclose(served, torch_logits(broken.path, ids), atol=1e-3)


def test_the_limit_is_the_tolerance():
    assert export._explain(0.900, {"onnxruntime": 0.8971}, 0.003)[0] == "int8"
    assert export._explain(0.900, {"onnxruntime": 0.8969}, 0.003)[0] == "float32"
    assert export._explain(0.900, {"onnxruntime": 0.91}, 0)[0] == "int8"


@pytest.mark.parametrize("checkpoint", ["bert"], indirect=True)
def test_the_report_has_the_settings_for_serving(checkpoint, tmp_path):
    report = export_transformer(checkpoint, tiny.reviews(40, 3), tmp_path, export_settings(rows=20), seed=0)
    assert (report.max_length, report.head_share) == (32, 1 / 3)
    assert (report.cls_id, report.sep_id, report.pad_id) == (2, 3, 0)
    assert report.rows == 20
    assert type(report).model_validate_json(report.model_dump_json()) == report
    settings = json.loads((tmp_path / "tokenizer.json").read_text())
    assert settings["truncation"] is None
    assert settings["padding"] is None


@pytest.mark.parametrize("checkpoint", ["bert"], indirect=True)
def test_an_export_that_differs_from_torch_is_refused(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_graph, "run_onnx", lambda *arguments: run_onnx(*arguments) + 0.01)
    with pytest.raises(RuntimeError, match="differs from torch"):
        export_transformer(checkpoint, tiny.reviews(40, 3), tmp_path, export_settings(), seed=0)
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("checkpoint", ["bert"], indirect=True)
def test_serving_may_read_more_than_training_but_not_more_than_the_model(checkpoint, tmp_path):
    longer = ExportSettings(rows=20, max_length=48, int8=False)
    report = export_transformer(checkpoint, tiny.reviews(40, 3), tmp_path / "longer", longer, seed=0)
    assert report.max_length == 48 > checkpoint.report.settings.max_length
    with pytest.raises(UserError, match=r"export\.max_length: max_length 67 is more than the 66 tokens"):
        export_transformer(checkpoint, tiny.reviews(40, 3), tmp_path / "longest", ExportSettings(max_length=67), seed=0)
