import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import Feedback, PredictionLog, read_log
from sentiment.monitoring.settings import WindowSettings
from sentiment.monitoring.window import GRACE, Window, read_window
from tests.helpers.windows import DAY, START, labelled, stream, window

RECORDS, TRUTHS = stream(200)


def test_holds_the_answers_of_its_period_with_their_labels():
    found = window(RECORDS, labelled(RECORDS, TRUTHS, every=2), start=START + DAY / 2, end=START + DAY * 3 / 4)
    assert found.sample["id"].tolist() == [r.id for r in RECORDS[100:150]]
    assert (found.facts.seen, len(found.labelled)) == (50, 25)
    rows = found.labelled
    assert rows["feedback"].tolist() == TRUTHS[100:150:2]
    assert rows["correct"].tolist() == [
        t == r.label for t, r in zip(TRUTHS[100:150:2], RECORDS[100:150:2], strict=True)
    ]


def test_a_label_counts_once_in_the_window_in_which_it_came():
    late = [Feedback(r.id, t, r.time + 1.25 * DAY) for r, t in zip(RECORDS, TRUTHS, strict=True)]
    again = [replace(f, time=f.time + DAY) for f in late]
    days = [
        window(RECORDS, [*late, *again], start=START + day * DAY, end=START + (day + 1) * DAY, now=START + 9 * DAY)
        for day in range(4)
    ]
    assert [len(day.sample) for day in days] == [200, 0, 0, 0]
    assert [day.facts.feedback.entries for day in days] == [0, 150, 200, 50]
    assert [len(day.labelled) for day in days] == [0, 150, 50, 0]
    assert days[1].labelled["id"].tolist() == [r.id for r in RECORDS[:150]]
    assert [len(day.taught) for day in days] == [200] * 4


def test_labels_of_other_versions_teach_and_do_not_judge():
    older = [replace(r, id=f"old-{r.id}", model_version="2", time=r.time - DAY) for r in RECORDS[:80]]
    reset = [
        replace(r, id=f"reset-{r.id}", time=5.0) for r in RECORDS[:3]
    ]  # a wrong clock does not change the result either
    said = [Feedback(r.id, "positive", START + DAY / 2) for r in (*older, *reset, *RECORDS[:9])]
    found = window([*RECORDS, *older, *reset], said, born=START - DAY / 2)
    assert found.labelled["id"].tolist() == [r.id for r in RECORDS[:9]]
    assert found.taught["id"].tolist() == [r.id for r in [*older, *RECORDS[:9]]]
    assert (len(found.sample), found.facts.seen) == (200, 200)


def test_of_many_predictions_a_seeded_sample_and_the_latest_labels_are_kept():
    feedback = labelled(RECORDS, TRUTHS)
    one, same, other = (window(RECORDS, feedback, most=50, seed=seed) for seed in (0, 0, 1))
    assert one.facts.seen == 200
    assert len(one.sample) == 50
    assert one.labelled["id"].tolist()[-50:] == [r.id for r in RECORDS[-50:]]
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_other_versions_are_counted_and_left_out():
    others = [replace(r, model_version="2", id=f"other-{r.id}") for r in RECORDS[:30]]
    found = window([*RECORDS, *others])
    assert (found.facts.seen, found.facts.other_versions) == (200, {"2": 30})
    alone = window(others)
    assert (alone.facts.seen, len(alone.predictions), alone.facts.other_versions) == (0, 0, {"2": 30})


def test_skewed_clocks_are_counted_and_left_out():
    future = [replace(r, id=f"f{r.id}", time=START + DAY + GRACE + 1) for r in RECORDS[:5]]
    reset = [replace(r, id=f"p{r.id}", time=12.0) for r in RECORDS[:7]]
    strange = [replace(r, id=f"n{r.id}", time=float("nan")) for r in RECORDS[:2]]
    earlier = [replace(r, id=f"e{r.id}", time=START - DAY) for r in RECORDS[:3]]  # of another window: nothing wrong
    found = window([*RECORDS, *future, *reset, *strange, *earlier], born=START - 2 * DAY)
    assert (found.facts.seen, found.facts.clock_skewed) == (200, 14)


def test_repeated_predictions_count_once():
    found = window([*RECORDS, *RECORDS[:10]])
    assert (found.facts.seen, found.facts.repeated) == (200, 10)


@pytest.mark.parametrize(
    "damage",
    [
        {"sketch": "no sketch"},
        {"score": math.nan},
        {"positive": math.inf},
        {"words": 10**30},
        {"characters": -(10**30)},
    ],
)
def test_records_that_cannot_be_computed_with_are_unreadable(damage):
    found = window(
        [replace(RECORDS[0], **damage), *RECORDS[1:]], damaged=[START, START + 5, START + 9, START - 1, START + DAY]
    )
    assert (found.facts.seen, found.facts.unreadable) == (199, 4)


def test_halves_of_surrogate_pairs_are_stored(tmp_path):
    odd = replace(RECORDS[0], text="\ud800 and more", request="\udfff")
    found = window([odd])
    found.save(tmp_path)
    assert Window.load(tmp_path).predictions["text"].tolist() == ["? and more"]


def test_an_empty_log_is_an_empty_window(tmp_path):
    found = window([])
    assert (len(found.predictions), len(found.sample), len(found.labelled)) == (0, 0, 0)
    found.save(tmp_path)
    assert Window.load(tmp_path).fingerprint == found.fingerprint


def test_comes_back_from_disk_as_it_was(tmp_path):
    records, truths = stream(60, keep_text=True)
    found = window(records, labelled(records, truths, every=3, client="abc"), damaged=[START, START])
    found.save(tmp_path)
    back = Window.load(tmp_path)
    pd.testing.assert_frame_equal(back.predictions, found.predictions)
    assert back.facts == found.facts
    assert back.fingerprint == found.fingerprint


def test_feedback_that_is_no_use_is_counted():
    first, second, third = RECORDS[:3]
    late = START + DAY + 2 * GRACE
    found = window(
        RECORDS,
        [
            Feedback(first.id, "negative", first.time + 10),
            Feedback(first.id, "negative", first.time + 20),
            Feedback(second.id, "negative", second.time + 10),
            Feedback(second.id, "positive", second.time + 20),
            Feedback("unknown", "positive", START + 5),
            Feedback("unknown", "positive", START + 6),
            Feedback(third.id, "sideways", third.time + 5),
            Feedback(third.id, "positive", late),
            Feedback(RECORDS[100].id, "positive", START + 1),  # before it was asked
            Feedback(third.id, "positive", math.nan),
        ],
    )
    facts = found.facts.feedback
    assert (facts.entries, facts.unknown, facts.repeated, facts.changed) == (8, 2, 1, 1)
    assert (facts.wrong, facts.clock_skewed) == (1, 3)
    assert found.labelled["id"].tolist() == [first.id]  # the second is contested


def test_reads_the_log_of_a_service(tmp_path):
    log = PredictionLog(tmp_path, max_mb=1, keep_text=True, on_drop=print)
    log.add([replace(r, text="a fine film") for r in RECORDS])
    log.feedback(RECORDS[0].id, "negative", RECORDS[0].time + 1, "client")
    log.close()
    settings = WindowSettings(min_predictions=20, max_predictions=100, hours=12)
    found = read_window(str(tmp_path), settings, model_version="3", end=START + DAY / 2, seed=0)
    assert (found.facts.seen, len(found.sample)) == (100, 100)
    assert found.labelled["client"].tolist() == ["client"]
    assert read_window(str(tmp_path / "none"), settings, model_version="3", end=START, seed=0).facts.seen == 0


def test_a_log_from_before_clients_were_known_is_read(tmp_path):
    (tmp_path / "feedback-1-1.jsonl").write_text(
        json.dumps({"prediction_id": "a", "label": "positive", "time": 1.5}) + "\n"
    )
    (entry,) = read_log(tmp_path).feedback
    assert (entry.prediction_id, entry.client) == ("a", None)


def test_a_bucket_that_cannot_be_reached_is_an_error_of_the_user(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(UserError, match="s3://nowhere/log"):
        read_window("s3://nowhere/log", WindowSettings(), model_version="3", end=START, seed=0)
