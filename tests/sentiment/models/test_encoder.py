"""The encoder that training starts from: families, heads and lengths, checked before anything trains."""

import json

import pytest

from sentiment.errors import UserError
from sentiment.models.encoder import check_model, load_encoder, longest_input
from tests.helpers import tiny_transformer as tiny

SMALL = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
FAMILIES = {  # whether positions begin behind the padding id
    "bert": False, "electra": False, "roberta": True, "xlm-roberta": True, "camembert": True, "mpnet": True,
    "data2vec-text": True, "roberta-prelayernorm": True, "xlm-roberta-xl": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("bert"))


def save_family(kind, bert, folder):
    """A random model of a family with 68 positions, and the tokenizer of ``bert`` without a limit of its own."""
    import shutil

    from transformers import AutoConfig, AutoModel, AutoTokenizer

    size = len(AutoTokenizer.from_pretrained(bert))
    more = {"embedding_size": 32} if kind == "electra" else {}
    config = AutoConfig.for_model(
        kind, **SMALL, **more, vocab_size=size, max_position_embeddings=68, pad_token_id=1, type_vocab_size=2
    )
    AutoModel.from_config(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(bert / name, folder)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({**json.loads((folder / "tokenizer_config.json").read_text()), "model_max_length": 10**30})
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAMILIES)
def test_the_longest_input_is_one_that_the_model_reads(kind, bert, tmp_path):
    import torch

    folder = save_family(kind, bert, tmp_path)
    settings = tiny.recipe(folder, max_length=16, freeze_embeddings=False)
    model, tokenizer = load_encoder(str(folder), settings, seed=1)
    longest = longest_input(model.config, tokenizer)
    assert longest == (66 if FAMILIES[kind] else 68)
    model(input_ids=torch.full((1, longest), 5), attention_mask=torch.ones(1, longest))
    with pytest.raises((IndexError, RuntimeError)):
        model(input_ids=torch.full((1, longest + 1), 5), attention_mask=torch.ones(1, longest + 1))
    words = f"max_length {longest + 1} is more than the {longest} tokens that the model reads. Lower max_length"
    for change, serving in (({"max_length": longest + 1}, None), ({}, longest + 1)):
        with pytest.raises(UserError, match=words):
            check_model(settings.model_copy(update=change), serving)
    check_model(settings.model_copy(update={"max_length": longest}), longest)


@pytest.mark.slow
@pytest.mark.parametrize(("classes", "problem"), [(5, None), (1, "regression"), (3, "multi_label_classification")])
def test_a_head_for_other_classes_is_replaced(classes, problem, bert, tmp_path):
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    tokenizer = tiny.save_encoder(tmp_path)
    config = AutoConfig.from_pretrained(bert, num_labels=classes, problem_type=problem)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    model, _ = load_encoder(str(tokenizer), tiny.recipe(tokenizer), seed=1)
    assert model.config.num_labels == 2
    found = model(input_ids=torch.full((2, 8), 5), labels=torch.tensor([0, 1]))
    assert found.logits.shape == (2, 2)
    assert torch.isclose(found.loss, torch.nn.functional.cross_entropy(found.logits, torch.tensor([0, 1])))


@pytest.mark.slow
def test_weights_that_do_not_fit_are_not_drawn_at_random(bert, tmp_path):
    tiny.save_encoder(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "intermediate_size": 128}))
    with pytest.raises(UserError, match=r"the checkpoint does not fit its config\.json: .*another size"):
        load_encoder(str(tmp_path), tiny.recipe(tmp_path), seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b"not weights"),
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("config.json", b'{"model_type": "no-such"}'),
        ("tokenizer.json", b"{}"),
        ("tokenizer_config.json", b"[]"),
    ],
)
def test_a_damaged_model_is_one_line(file, content, tmp_path):
    tiny.save_encoder(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=r"the model cannot be loaded|does not frame its texts") as caught:
        load_encoder(str(tmp_path), tiny.recipe(tmp_path), seed=1)
    assert "\n" not in str(caught.value)
