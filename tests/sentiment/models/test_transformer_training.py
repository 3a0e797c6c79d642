import json
import math
import random
from dataclasses import replace

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from sentiment.errors import UserError
from sentiment.models import trainer, transformer, weights
from sentiment.models.checkpoint import TransformerCheckpoint
from sentiment.models.encoder import choose_precision, load_encoder
from sentiment.models.intermediate import PrunedError, judging
from sentiment.models.transformer import train_transformer
from sentiment.progress import listening
from sentiment.reviews.table import Reviews
from tests.helpers import tiny_transformer as tiny


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def trained(encoder, tmp_path_factory):
    """A run of four epochs with all its reports."""
    reports = []
    with listening(lambda task, done, total, **figures: reports.append((task, done, total, figures))):
        checkpoint = train_transformer(
            tiny.reviews(160, 1), tiny.reviews(40, 2), tiny.recipe(encoder, epochs=4, dropout=0), seed=7,
            work_dir=tmp_path_factory.mktemp("work"),
        )  # fmt: skip
    return checkpoint, reports


@pytest.mark.slow
def test_a_separable_task_is_learnt(trained):
    assert trained[0].report.validation_accuracy >= 0.9


@pytest.mark.slow
def test_the_checkpoint_is_complete_and_holds_no_pickle(trained):
    path = trained[0].path
    names = {file.name for file in path.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "training.json"} == names
    assert {p.name for p in path.parent.iterdir()} == {"checkpoint", "lock"}  # the states of the run are gone
    assert json.loads((path / "config.json").read_text())["id2label"] == {"0": "negative", "1": "positive"}
    settings = json.loads((path / "tokenizer.json").read_text())
    assert settings["truncation"] is None
    assert settings["padding"] is None


@pytest.mark.slow
def test_a_processor_without_bfloat16_is_named_with_the_minutes_left(trained):
    assert transformer._task("auto", "bf16") == transformer._task("fp32", "fp32") == "train transformer"
    assert "no bfloat16 here" in transformer._task("auto", "fp32")
    assert all(report[3]["minutes left"] >= 0 for report in trained[1])


@pytest.mark.slow
def test_other_targets_are_another_run(encoder, tmp_path):
    train, settings = tiny.reviews(160, 1), tiny.recipe(encoder)
    runs = [
        train_transformer(train, tiny.reviews(40, 2), settings, seed=7, work_dir=tmp_path, targets=[p] * len(train))
        for p in (0.4, 0.6)
    ]
    assert runs[0].path != runs[1].path
    assert runs[0].report.validation_loss == pytest.approx(math.log(2), abs=0.1)  # it is unsure about every review


@pytest.mark.slow
def test_progress_is_reported_with_figures(trained):
    reports = trained[1]
    assert {task for task, *_ in reports} == {"train transformer"}
    assert reports[-1][1:3] == (80, 80)
    assert {"loss", "accuracy", "minutes left"} == set(reports[-1][3])


@pytest.mark.slow
def test_the_report_counts_the_training_examples(trained):
    report = trained[0].report
    assert (report.steps, report.examples) == (80, 640)
    assert report.best_step in (40, 80)
    assert 2 * 640 < report.tokens <= 32 * 640
    assert TransformerCheckpoint.load(trained[0].path) == trained[0]


@pytest.mark.slow
def test_a_finished_run_is_not_repeated(trained, encoder, monkeypatch):
    monkeypatch.setattr("sentiment.models.transformer.load_encoder", None)
    again = train_transformer(
        tiny.reviews(160, 1), tiny.reviews(40, 2), tiny.recipe(encoder, epochs=4, dropout=0), seed=7,
        work_dir=trained[0].path.parents[1],
    )  # fmt: skip
    assert again == trained[0]


@pytest.mark.slow
def test_the_best_weights_are_kept_and_training_stops_early(encoder, tmp_path):
    """A learning rate that destroys the model after a good start: later evaluations are no better than the first."""
    settings = tiny.recipe(encoder, epochs=4, evaluations=8, early_stopping_patience=2, learning_rate=1e-12)
    report = train_transformer(tiny.reviews(160, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=tmp_path).report
    assert report.best_step == 10
    assert report.steps == 30


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_frozen_parts_do_not_train(kind, tmp_path):
    folder = tiny.save_encoder(tmp_path / kind, kind)
    model, _ = load_encoder(str(folder), tiny.recipe(folder, freeze_embeddings=True, freeze_layers=1), 0)
    moving = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert moving
    assert not [name for name in moving if "embeddings" in name or "layer.0." in name]
    assert [name for name in moving if "layer.1." in name]


@pytest.mark.slow
def test_frozen_embeddings_are_the_ones_it_started_from(encoder, tmp_path):
    settings = tiny.recipe(encoder, freeze_embeddings=True, evaluations=1)
    path = train_transformer(tiny.reviews(80, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=tmp_path).path
    before, after = load_file(encoder / "model.safetensors"), load_file(path / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    assert torch.equal(before[name], after[f"bert.{name}"])
    name = "encoder.layer.0.output.dense.weight"
    assert not torch.equal(before[name], after[f"bert.{name}"])


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_dropout_reaches_the_layers(kind, tmp_path):
    folder = tiny.save_encoder(tmp_path / kind, kind)
    model, _ = load_encoder(str(folder), tiny.recipe(folder, dropout=0.37), 0)
    rates = {module.p for name, module in model.base_model.named_modules() if isinstance(module, torch.nn.Dropout)}
    assert rates == {0.37}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"freeze_layers": 3}, "the model has 2 layers"),
        ({"max_length": 67}, "more than the 66 tokens"),
        ({"model": "./no/such/folder"}, "no such folder"),
        ({"model": "embedded:nothing"}, "no such embedded model"),
    ],
)
def test_settings_that_do_not_fit_the_model_are_one_clear_line(encoder, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        train_transformer(
            tiny.reviews(40, 1), tiny.reviews(40, 2), tiny.recipe(encoder, **changes), seed=7, work_dir=tmp_path
        )


def test_a_folder_without_a_model_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="cannot be loaded") as caught:
        train_transformer(
            tiny.reviews(40, 1), tiny.reviews(40, 2), tiny.recipe(tmp_path), seed=7, work_dir=tmp_path / "w"
        )
    assert "\n" not in str(caught.value)


def test_reviews_of_one_class_are_refused(encoder, tmp_path):
    one = tiny.reviews(40, 1)
    one = type(one)(one.frame[one.frame["label"] == 1])
    with pytest.raises(UserError, match="both labels"):
        train_transformer(one, tiny.reviews(40, 2), tiny.recipe(encoder), seed=7, work_dir=tmp_path)


def test_embedded_weights_are_found_and_checked(monkeypatch):
    name, embedded = next(iter(weights.EMBEDDED.items()))
    assert (weights.Path(weights.find_model(name)) / "model.safetensors").is_file()
    weights._embedded.cache_clear()
    monkeypatch.setitem(weights.EMBEDDED, name, replace(embedded, sha256="0" * 64))
    with pytest.raises(UserError, match="not the published ones"):
        weights.find_model(name)
    weights._embedded.cache_clear()


def test_precision_is_bf16_only_where_the_hardware_has_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for has, chosen in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: {"avx512_bf16": has})
        assert choose_precision("auto") == chosen
    assert choose_precision("bf16") == "bf16"


@pytest.mark.slow
def test_bf16_trains_on_this_machine(encoder, tmp_path):
    settings = tiny.recipe(encoder, precision="bf16", epochs=4, dropout=0)
    report = train_transformer(tiny.reviews(160, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=tmp_path).report
    assert report.precision == "bf16"
    assert report.validation_accuracy >= 0.9


def test_a_probability_as_label_pulls_towards_it():
    logits = torch.tensor([[0.0, 0.0], [0.0, 4.0]])
    loss = lambda labels: trainer._cross_entropy({"logits": logits}, torch.tensor(labels), smoothing=0.0)  # noqa: E731
    assert loss([0.5, 1.0]).item() == pytest.approx((math.log(2) + math.log1p(math.exp(-4))) / 2)
    assert loss([1.0, 0.5]).item() > loss([1.0, 1.0]).item()


def test_a_row_weighs_what_its_label_weighs():
    logits, labels = torch.tensor([[1.0, -1.0], [0.5, 0.0], [0.0, 2.0]]), torch.tensor([0.0, 1.0, 0.25])
    losses = [trainer._cross_entropy({"logits": logits[[i]]}, labels[[i]], smoothing=0.1).item() for i in range(3)]
    found = trainer._cross_entropy({"logits": logits}, labels, smoothing=0.1, class_weights=(0.5, 2.0)).item()
    assert found == pytest.approx((0.5 * losses[0] + 2 * losses[1] + (0.75 * 0.5 + 0.25 * 2) * losses[2]) / 3)
    same = trainer._cross_entropy({"logits": logits}, labels, smoothing=0.1, class_weights=(2.0, 2.0)).item()
    assert same == pytest.approx(2 * sum(losses) / 3)


@pytest.mark.slow
def test_class_weights_shift_predictions_to_the_rare_label(encoder, tmp_path):
    """Texts that say nothing about their label: what is learnt is how frequent the labels are."""
    texts = [" ".join(random.Random(i).choices(tiny.FILLER, k=8)) for i in range(400)]
    frame = pd.DataFrame({"text": texts, "label": [int(i % 10 == 0) for i in range(400)], "source": "s"})
    validation = Reviews(frame.head(100).assign(label=[i % 2 for i in range(100)]))
    settings = tiny.recipe(encoder, dropout=0, learning_rate=1e-3)
    reports = {
        weights: train_transformer(
            Reviews(frame), validation, settings, seed=7, work_dir=tmp_path, class_weights=weights
        ).report
        for weights in ((1.0, 1.0), (400 / 720, 400 / 80))
    }
    even, balanced = (report.validation_loss for report in reports.values())
    assert even > 1.0  # P(positive) is about 0.1: -(log 0.1 + log 0.9) / 2 = 1.2
    assert balanced == pytest.approx(math.log(2), abs=0.1)  # about 0.5
    assert [report.class_weights for report in reports.values()] == list(reports)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_a_training_that_its_judge_ends_leaves_no_states(encoder, tmp_path):
    def train():
        return train_transformer(
            tiny.reviews(160, 1), tiny.reviews(40, 2), tiny.recipe(encoder), seed=7, work_dir=tmp_path
        )

    def judge(share, **figures):
        (run_dir,) = tmp_path.iterdir()
        seen.extend(path.name for path in run_dir.glob("checkpoint-*"))
        (run_dir / "profile.json").touch()
        raise PrunedError(f"given up at {share}")

    seen = []
    with judging(judge), pytest.raises(PrunedError, match="given up"):
        train()
    assert seen  # there was something to delete
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lock"]
    assert train().report.steps == 20  # without the judge, it starts again
