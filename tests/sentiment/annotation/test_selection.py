from collections import Counter
from dataclasses import replace

import pytest

from sentiment.annotation.selection import SHARES, fingerprint, select_items
from sentiment.monitoring.prediction_log import Feedback
from tests.helpers.windows import DAY, START, reference, window


@pytest.fixture(scope="module")
def usual():
    return reference(600)


def select(records, feedback=(), usual=None, *, count=80, exported=frozenset(), seed=0):
    return select_items(window(records, feedback), usual, count=count, sure=0.95, exported=exported, seed=seed)


def ids(selection, reason):
    return {item.prediction_id for item in selection.items if reason in item.reason.split(" and ")}


def test_every_reason_selects_its_own_texts_and_the_rest_is_random(day, usual):
    records, feedback = day
    found = select(records, feedback, usual)
    assert len({item.prediction_id for item in found.items}) == 80
    assert {found.reasons[reason] for reason in SHARES} == {20}
    assert found.reasons["random"] >= 20
    assert sum(found.reasons.values()) > 80  # chance also draws texts that have another reason
    assert ids(found, "suspicious") <= {f.prediction_id for f in feedback}
    assert ids(found, "unsure") <= {r.id for r in records if r.abstained}
    foreign = ids(found, "drifted") & {r.id for r in records[360:]}  # a tenth of all
    assert len(foreign) >= 15


def test_the_random_share_is_drawn_as_if_there_were_no_other_reason(day):
    records, feedback = day
    plain = [replace(r, positive=0.9, score=0.9, abstained=False) for r in records]
    blind, seeing = select(plain, feedback), select(records, feedback)
    assert blind.reasons == {"random": 80}
    assert ids(seeing, "random") <= ids(blind, "random")


def test_a_reason_without_texts_leaves_its_places_to_chance(day):
    records, _ = day
    found = select(records[:300])
    assert set(found.reasons) == {"unsure", "random"}
    assert len(found.items) == 80


def test_unsure_is_near_the_threshold_that_the_answers_show(day):
    records, _ = day
    moved = [
        replace(r, positive=p, label="positive" if p > 0.7 else "negative", score=max(p, 1 - p), abstained=False)
        for i, r in enumerate(records[:200])
        for p in [0.3 + 0.0035 * i]
    ]
    found = select(moved, count=40)
    near = [r for r in moved if r.id in ids(found, "unsure")]
    assert near and all(abs(r.positive - 0.7) < 0.1 for r in near)


def test_a_contested_label_is_suspicious_also_where_the_first_one_agrees(day):
    record = replace(day[0][1], positive=0.7, score=0.7)
    said = [Feedback(record.id, label, record.time + 60 + i) for i, label in enumerate(["positive", "negative"])]
    found = select([record, *day[0][2:5]], said, count=4)
    assert ids(found, "suspicious") == {record.id}


def test_places_are_spread_over_time_and_requests(day):
    records, _ = day
    morning = [r for r in records[:360] if r.abstained]
    # one client floods an hour with the least sure texts of all
    flood = [
        replace(r, id=f"f{i}", request="flood", time=START + DAY / 2 + i, positive=0.5, score=0.5, abstained=True)
        for i, r in enumerate(records[60:360])
        if not r.abstained
    ][:30]
    found = select([*morning, *flood], count=80)
    chosen = Counter("flood" if i.startswith("f") else "others" for i in ids(found, "unsure"))
    assert chosen["others"] >= 18


def test_a_text_is_selected_once_however_often_it_was_asked(day):
    records, _ = day
    near = [replace(r, id=f"n{r.id}", text=f"{r.text} indeed!") for r in records[:40]]
    found = select([*records[:40], *near, *[replace(r, id=f"e{r.id}") for r in records[:40]]], count=200)
    assert found.texts == len(found.items) == 40


def test_of_copies_the_one_with_feedback_is_kept(day):
    records, _ = day
    later = replace(records[1], id="later", time=records[1].time + 600)
    found = select([records[1], later], [Feedback("later", "negative", later.time + 5)], count=2)
    assert [item.prediction_id for item in found.items] == ["later"]


def test_texts_of_earlier_batches_and_their_near_copies_are_left_out(day):
    records, _ = day
    before = frozenset(fingerprint(r.text.upper() + ".") for r in records[:100])  # case and punctuation do not matter
    near = [replace(r, id=f"n{r.id}", text=f"{r.text} indeed") for r in records[:10]]
    found = select([*records[:150], *near], count=200, exported=before)
    assert {item.prediction_id for item in found.items} == {r.id for r in records[100:150]}
    assert found.exported == 110


def test_texts_without_consent_are_never_selected(day):
    records, _ = day
    silent = [replace(r, text=None) for r in records[:100]]
    found = select([*silent, *records[100:120], replace(records[120], text=" <br> ")], count=200)
    assert {item.prediction_id for item in found.items} == {r.id for r in records[100:120]}
    assert select(silent).items == ()


def test_the_same_seed_selects_the_same_batch(day):
    one, same, other = (select(*day, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_small_batch_has_its_size_and_a_random_text(day, count):
    found = select(*day, count=count)
    assert len(found.items) == count
    assert found.reasons["random"] >= 1


def test_labelled_texts_of_other_versions_and_of_earlier_days_are_not_selected(day):
    records, _ = day
    now, other, before = records[0], records[1], records[2]
    other = replace(other, model_version="2")
    before = replace(before, time=START - DAY)
    said = [Feedback(r.id, "negative", START + 60, "client") for r in (other, before)]
    assert {item.prediction_id for item in select([now, other, before], said, count=3).items} == {now.id}
