import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sentiment.errors import UserError
from sentiment.models import Classifier
from sentiment.models.batches import pad
from sentiment.models.checkpoint import TransformerCheckpoint
from sentiment.models.engines.choice import ENGINES, F32, ONNX
from sentiment.models.export import ExportSettings, export_transformer, write_servable
from sentiment.models.lstm_network import (
    Bidirectional,
    LstmConfig,
    LstmForSequenceClassification,
    reverse_positions,
)
from sentiment.models.onnx_graph import run_onnx
from tests.helpers import tiny_lstm
from tests.helpers import tiny_transformer as tiny

LENGTHS = (2, 9, 31, 5, 16)


def rows_of(lengths, seed=0):
    draw = np.random.default_rng(seed)
    return [draw.integers(1, 20, size=length).tolist() for length in lengths]


def logits(model, rows):
    ids, mask = map(torch.from_numpy, pad(rows, 0))
    with torch.inference_mode():
        return model.eval()(input_ids=ids, attention_mask=mask).logits.numpy()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return LstmForSequenceClassification(LstmConfig(vocab_size=20, embedding_size=12, hidden_size=6, dropout=0.5))


def test_a_layer_equals_the_packed_bidirectional_lstm_of_torch():
    torch.manual_seed(1)
    ours, theirs = Bidirectional(5, 4), torch.nn.LSTM(5, 4, batch_first=True, bidirectional=True)
    names = [name for name, _ in ours.from_start.named_parameters()]
    with torch.no_grad():
        for name in names:
            getattr(theirs, name).copy_(getattr(ours.from_start, name))
            getattr(theirs, f"{name}_reverse").copy_(getattr(ours.from_end, name))
    _, mask = map(torch.from_numpy, pad(rows_of(LENGTHS), 0))
    vectors = torch.randn(*mask.shape, 5)
    packed = torch.nn.utils.rnn.pack_padded_sequence(vectors, LENGTHS, batch_first=True, enforce_sorted=False)
    with torch.inference_mode():
        expected = torch.nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
        found = ours(vectors, reverse_positions(mask)) * mask.unsqueeze(-1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_neither_padding_nor_the_other_rows_change_an_answer(network):
    rows = rows_of(LENGTHS)
    alone = np.concatenate([logits(network, [row]) for row in rows])
    np.testing.assert_allclose(logits(network, rows), alone, atol=1e-6)
    np.testing.assert_allclose(logits(network, rows[::-1]), alone[::-1], atol=1e-6)
    assert np.abs(alone - alone[0]).max() > 1e-3


def test_the_order_of_the_words_matters(network):
    (row,) = rows_of([12])
    assert np.abs(logits(network, [row]) - logits(network, [row[::-1]])).max() > 1e-4


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def checkpoint(tokenizer, tmp_path_factory):
    return tiny_lstm.train(tokenizer, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def servable(checkpoint, tmp_path_factory):
    """Reads more tokens in service than in training."""
    folder, validation = tmp_path_factory.mktemp("servable"), tiny.reviews(40, 2)
    report = export_transformer(checkpoint, validation, folder, ExportSettings(int8=False, max_length=48), seed=0)
    return write_servable(folder, report, validation, data_fingerprint="data", git_commit="")


@pytest.mark.slow
def test_a_separable_task_is_learnt_without_pretrained_weights(checkpoint):
    assert checkpoint.report.validation_accuracy >= 0.9
    assert (checkpoint.kind, checkpoint.report.steps) == ("lstm", 60)
    assert TransformerCheckpoint.load(checkpoint.path) == checkpoint
    assert {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "training.json"} == {
        file.name for file in checkpoint.path.iterdir()
    }


@pytest.mark.slow
def test_the_export_equals_torch_for_rows_of_any_length_in_one_batch(checkpoint, servable):
    network = LstmForSequenceClassification.from_pretrained(checkpoint.path)
    for lengths in (LENGTHS, LENGTHS[::-1], (7,), (48, 2)):  # other shapes than the traced one
        rows = rows_of(lengths)
        expected = logits(network, rows)
        np.testing.assert_allclose(run_onnx(servable.path / "model.onnx", *pad(rows, 0)), expected, atol=1e-5)
        for name, bound in ((ONNX, 1e-5), (F32, 1e-2)):  # OpenVINO's file has weights in 16 bits
            engine = ENGINES[name][1](servable.path, pad_id=0, threads=1)
            np.testing.assert_allclose(engine.log_odds(rows), expected[:, 1] - expected[:, 0], atol=bound)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_that_a_deployment_may_ask_for_runs_it(servable, engine, monkeypatch):
    reviews = tiny.reviews(40, 3).frame
    texts = reviews["text"].tolist()
    expected = Classifier.load(servable.path).predict_proba(texts)
    monkeypatch.setenv("SENTIMENT_ENGINE", engine)
    classifier = Classifier.load(servable.path, threads=2)
    classifier.warm_up()
    assert classifier.engine == engine
    np.testing.assert_allclose(classifier.predict_proba(texts[::-1]), expected[::-1], atol=0.02)
    assert ((expected > 0.5) == reviews["label"]).mean() >= 0.9


@pytest.mark.slow
def test_a_bias_is_fitted_where_the_report_of_the_training_has_weights(checkpoint, tmp_path):
    weighted = replace(checkpoint, report=checkpoint.report.model_copy(update={"class_weights": (1.0, 2.0)}))
    validation, biases = tiny.reviews(40, 2), []
    for trained in (checkpoint, weighted):
        report = export_transformer(trained, validation, tmp_path, ExportSettings(int8=False), seed=0)
        biases.append(write_servable(tmp_path, report, validation, data_fingerprint="", git_commit="").manifest.bias)
    assert biases[0] == 0 != biases[1]


@pytest.mark.slow
def test_the_servable_is_like_any_other(checkpoint, servable):
    manifest = servable.manifest
    assert (manifest.kind, manifest.settings["max_length"]) == ("lstm", 48)
    assert manifest.training_seconds > checkpoint.report.seconds
    assert manifest.validation_accuracy >= 0.9
    assert manifest.validation_log_loss < np.log(2)
    assert {file.name for file in servable.files} == {
        "manifest.json", "model.onnx", "openvino.bin", "openvino.xml", "tokenizer.json"
    }  # fmt: skip


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_weights_of_an_uninterrupted_one(tokenizer, checkpoint, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    assert tiny.run(tokenizer, whole, train=tiny_lstm.train).code == 0
    assert tiny.run(tokenizer, killed, "report", 20, train=tiny_lstm.train).code == -signal.SIGKILL
    assert next(killed.glob("*/checkpoint-*/complete.json"))
    assert tiny.run(tokenizer, killed, train=tiny_lstm.train).code == 0
    one, other = (load_file(next(folder.glob("*/checkpoint/model.safetensors"))) for folder in (whole, killed))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("name", "message"), [("embedded:nothing", "no such embedded model"), ("./no/such/folder", "no such folder")]
)
def test_a_tokenizer_that_is_not_there_is_one_clear_line(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        tiny_lstm.train(name, tmp_path)


def test_a_folder_without_a_tokenizer_is_one_clear_line(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be loaded") as caught:
        tiny_lstm.train(tmp_path, tmp_path / "work")
    assert "\n" not in str(caught.value)
