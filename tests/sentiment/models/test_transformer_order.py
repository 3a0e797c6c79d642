import numpy as np
import pandas as pd
import pytest

from sentiment.models.batches import pad, stratified, training_order
from sentiment.models.truncation import truncate
from sentiment.reviews.table import Reviews

FRAME = {"cls_id": 101, "sep_id": 102}


def order(lengths, short, **changes):
    settings = {"epochs": 1, "short_epochs": 1, "long_rows": None, "batch_size": 4, "seed": 5} | changes
    return training_order(lengths, short, **settings)


def test_a_short_text_is_only_framed():
    assert truncate([7, 8, 9], 5, **FRAME) == [101, 7, 8, 9, 102]


def test_a_long_text_keeps_its_head_and_its_tail():
    assert truncate(range(20), 8, 1 / 3, **FRAME) == [101, 0, 1, 16, 17, 18, 19, 102]


@pytest.mark.parametrize(("share", "kept"), [(0, [7, 8, 9]), (1, [0, 1, 2]), (0.5, [0, 8, 9])])
def test_the_head_share_decides_where_the_tokens_come_from(share, kept):
    assert truncate(range(10), 5, share, **FRAME) == [101, *kept, 102]


def test_an_empty_text_is_two_tokens():
    assert truncate([], 8, **FRAME) == [101, 102]


def test_short_rows_are_repeated_and_long_rows_capped():
    short = [True] * 10 + [False] * 30
    seen = np.bincount(order([5] * 40, short, short_epochs=3, long_rows=12), minlength=40)
    assert (seen[:10] == 3).all()
    assert seen[10:].sum() == 12
    assert seen[10:].max() == 1


def test_each_pass_draws_new_long_rows_until_all_were_seen():
    seen = np.bincount(order([5] * 30, [False] * 30, epochs=3, long_rows=10), minlength=30)
    assert (seen == 1).all()


def test_passes_follow_each_other():
    rows = order([5] * 40, [True] * 40, short_epochs=2)
    assert sorted(rows[:40]) == sorted(rows[40:]) == list(range(40))


def test_batches_hold_similar_lengths_but_do_not_run_from_long_to_short():
    lengths = np.random.default_rng(0).integers(2, 128, size=402)
    rows = order(lengths, [True] * 402)
    assert sorted(rows) == list(range(402))
    batches = [lengths[rows[i : i + 4]] for i in range(0, 400, 4)]
    assert np.mean([batch.max() - batch.min() for batch in batches]) < 10
    means = [batch.mean() for batch in batches]
    assert abs(np.corrcoef(means, range(100))[0, 1]) < 0.3


def test_the_order_depends_on_the_seed_alone():
    lengths, short = list(range(2, 52)), [True] * 25 + [False] * 25
    assert (order(lengths, short) == order(lengths, short)).all()
    assert (order(lengths, short) != order(lengths, short, seed=6)).any()


def test_padding_is_masked():
    ids, mask = pad([[4, 5, 6], [7]], pad_id=1)
    assert ids.tolist() == [[4, 5, 6], [7, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_a_stratified_sample_keeps_the_shares():
    rows = [("a", label) for label in (0, 1) for _ in range(30)] + [("b", label) for label in (0, 1) for _ in range(70)]
    frame = pd.DataFrame(rows, columns=["source", "label"]).assign(text=[f"text {i}" for i in range(len(rows))])
    sample = stratified(Reviews(frame), 20, seed=1)
    assert sample.frame.groupby(["source", "label"]).size().to_dict() == {
        ("a", 0): 3, ("a", 1): 3, ("b", 0): 7, ("b", 1): 7,
    }  # fmt: skip
    assert sample.fingerprint == stratified(Reviews(frame), 20, seed=1).fingerprint
    assert sample.fingerprint != stratified(Reviews(frame), 20, seed=2).fingerprint


@pytest.mark.parametrize("each", [1, 10])
def test_many_small_sources_do_not_empty_a_sample(each):
    frame = pd.DataFrame({"text": [f"t{i}" for i in range(3000)], "label": [i % 2 for i in range(3000)]})
    frame["source"] = [f"film {i // each}" for i in range(3000)]
    sample = stratified(Reviews(frame), 1000, seed=1).frame
    assert len(sample) == 1000
    assert sample["label"].sum() == 500
