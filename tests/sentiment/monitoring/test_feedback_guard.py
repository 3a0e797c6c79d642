from dataclasses import replace
from pathlib import Path

import pytest

from sentiment.monitoring.feedback_guard import feedback_reviews, trusted_feedback
from sentiment.monitoring.prediction_log import Feedback
from sentiment.monitoring.settings import FeedbackSettings, MonitorSettings
from sentiment.reviews.cleaning import clean
from tests.helpers.windows import START, labelled, stream, window

SUITE = Path(__file__).parents[3] / "configs" / "expectations" / "feedback.yaml"
LIMITS = FeedbackSettings(expectations=SUITE)
RECORDS, TRUTHS = stream(400, keep_text=True)


def failed(checks):
    return {check.name.removeprefix("feedback: ") for check in checks if not check.passed}


def guard(feedback, records=RECORDS, limits=LIMITS):
    seen = window(records, feedback)
    return trusted_feedback(seen, seen.labelled, limits, seed=0)


def turned(label):
    return "negative" if label == "positive" else "positive"


def test_honest_feedback_is_trusted():
    known = guard(labelled(RECORDS, TRUTHS, every=2))
    assert len(known.rows) == 200
    assert failed(known.checks) == set()


def test_without_feedback_there_is_nothing_to_believe():
    known = guard([])
    assert len(known.rows) == 0
    assert failed(known.checks) == set()


def test_a_flood_is_left_out_and_the_rest_stays():
    honest = labelled(RECORDS[:100], TRUTHS[:100])
    flood = [Feedback(r.id, turned(t), START + 80_000) for r, t in zip(RECORDS[100:300], TRUTHS[100:300], strict=True)]
    known = guard([*honest, *flood])
    assert set(known.rows["id"]) == {r.id for r in RECORDS[:100]}
    assert "no flood" in failed(known.checks)


def test_a_client_that_talks_most_is_cut_to_its_share():
    loud = labelled(RECORDS[:180], TRUTHS[:180], client="loud")
    others = labelled(RECORDS[180:200], TRUTHS[180:200], client="other")
    known = guard([*loud, *others])
    assert known.rows["client"].value_counts().to_dict() == {"loud": 100, "other": 20}
    assert failed(known.checks) == {"no dominant client"}
    alone = guard(loud)
    assert (len(alone.rows), failed(alone.checks)) == (180, set())  # the only client cannot send too much


def test_labels_about_one_request_are_cut():
    one = [replace(r, request="one") for r in RECORDS[:60]]
    rest = RECORDS[60:100]
    known = guard(labelled([*one, *rest], TRUTHS[:100]), records=[*one, *rest])
    assert known.rows["request"].eq("one").sum() == 20
    assert failed(known.checks) == {"no dominant request"}


def test_labels_against_others_about_the_same_words_are_left_out():
    same = [replace(r, sketch=RECORDS[0].sketch) for r in RECORDS[:7]]
    disputed = [replace(r, sketch=RECORDS[50].sketch) for r in RECORDS[50:52]]
    labels = [*["positive"] * 5, *["negative"] * 2, "positive", "negative"]
    known = guard(labelled([*same, *disputed], labels), records=[*same, *disputed])
    assert known.rows["feedback"].tolist() == ["positive"] * 5
    assert failed(known.checks) == {"labels of one text agree"}


def test_many_unknown_predictions_and_wrong_labels_are_reported():
    strange = [Feedback(f"{n:032d}".replace("0", "f"), "positive", START + 70 * n) for n in range(1, 40)]
    wrong = [Feedback(r.id, "sideways", r.time + 1) for r in RECORDS[:40]]
    known = guard([*labelled(RECORDS[100:140], TRUTHS[100:140]), *strange, *wrong])
    assert failed(known.checks) == {"known predictions", "usable labels"}
    assert len(known.rows) == 40


def settings(**feedback):
    return MonitorSettings(feedback=FeedbackSettings(expectations=SUITE, **feedback))


def test_reviews_are_taken_where_texts_were_kept():
    records = [r if n % 2 else replace(r, text=None) for n, r in enumerate(RECORDS)]
    reviews, report = feedback_reviews(
        window(records, labelled(records, TRUTHS)), settings(), other_rows=10_000, learnt=()
    )
    assert (report.suite, report.passed, len(reviews)) == ("feedback", True, 200)
    assert reviews.frame["source"].unique().tolist() == ["feedback"]
    by_text = dict(zip((r.text for r in RECORDS), TRUTHS, strict=True))
    assert [("negative", "positive")[label] for label in reviews.frame["label"]] == [
        by_text[text] for text in reviews.frame["text"]
    ]


def test_no_more_than_a_share_of_the_training_data_is_taken():
    seen = window(RECORDS, labelled(RECORDS, TRUTHS))
    reviews, report = feedback_reviews(seen, settings(max_share=0.2), other_rows=400, learnt=())
    assert len(reviews) == 100
    assert "share of the training data" in failed(report.checks)
    assert report.passed
    again, _ = feedback_reviews(seen, settings(max_share=0.2), other_rows=400, learnt=())
    assert again.fingerprint == reviews.fingerprint


@pytest.mark.parametrize(("earlier", "taken"), [(0, 100), (70, 30), (100, 0), (300, 0)])
def test_earlier_feedback_counts_as_feedback(earlier, taken):
    seen = window(RECORDS, labelled(RECORDS, TRUTHS))
    reviews, report = feedback_reviews(seen, settings(max_share=0.2), other_rows=400, learnt=range(earlier))
    assert (len(reviews), report.passed) == (taken, True)


def test_a_retraining_takes_all_labels_of_the_log_except_known_ones():
    last_week = [replace(r, id=f"x{r.id}", model_version="2", time=r.time - 7 * 86_400) for r in RECORDS[:150]]
    seen = window([*last_week, *RECORDS[150:]], labelled([*last_week, *RECORDS[150:250]], TRUTHS[:250]))
    reviews, report = feedback_reviews(
        seen, settings(), other_rows=10_000, learnt={clean(r.text) for r in RECORDS[100:200]}
    )
    assert report.passed
    assert set(reviews.frame["text"]) == {r.text for r in [*RECORDS[:100], *RECORDS[200:250]]}
    nothing, report = feedback_reviews(seen, settings(), other_rows=10_000, learnt={clean(r.text) for r in RECORDS})
    assert (len(nothing), report.passed) == (0, True)


def test_without_texts_nothing_is_trained_on():
    records, truths = stream(100)
    reviews, report = feedback_reviews(
        window(records, labelled(records, truths)), settings(), other_rows=1000, learnt=()
    )
    assert (len(reviews), report.passed) == (0, False)
    assert failed(report.failures("critical")) == {"texts were kept"}


def test_labels_against_all_that_is_sure_are_not_trained_on():
    poison = labelled(RECORDS, [turned(r.label) for r in RECORDS])
    reviews, report = feedback_reviews(window(RECORDS, poison), settings(), other_rows=10_000, learnt=())
    assert "sure answers" in failed(report.checks)
    sure = {r.text for r in RECORDS if r.score >= LIMITS.sure}
    assert len(reviews)
    assert not sure & set(reviews.frame["text"])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"text": "!"}, "texts are neither stubs nor books (characters)"),
        ({"text": "слово " * 20}, "texts are in a Latin script (share of non-ASCII characters)"),
    ],
)
def test_reviews_that_fail_the_suite_are_not_taken(change, name):
    records = [replace(r, text=f"{change['text']}{n}") for n, r in enumerate(RECORDS)]
    reviews, report = feedback_reviews(
        window(records, labelled(records, TRUTHS)), settings(), other_rows=10_000, learnt=()
    )
    assert len(reviews) == 0
    assert name in {check.name for check in report.failures("critical")}


def test_reviews_of_one_label_only_are_not_taken():
    records = [replace(r, label="negative", score=0.6, positive=0.4) for r in RECORDS]
    feedback = labelled(records, ["positive"] * len(records))
    reviews, report = feedback_reviews(window(records, feedback), settings(), other_rows=10_000, learnt=())
    assert (len(reviews), report.passed) == (0, False)
