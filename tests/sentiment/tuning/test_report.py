"""The verdict of a search: a gain counts only where it is larger than the noise of seeds and of reviews."""

import pandas as pd
import pytest
import yaml

from sentiment.errors import UserError
from sentiment.pages.tuning import tuning_page
from sentiment.reviews.table import Reviews, Splits
from sentiment.tuning.folds import take_fold
from sentiment.tuning.profile import require_own, write_profile
from sentiment.tuning.report import Trial, TuningReport, find_pareto, gain_interval


def trial(number, log_loss, *, seeds=(), state="complete", seconds=60.0, error=0.0, accuracy=0.9, cpu_ms=1.0):
    def values(loss):
        return {"log_loss": loss, "accuracy": accuracy, "cpu_ms": cpu_ms}

    return Trial(
        number=number,
        params={"linear.c": float(number or 0), "linear.kind": "<i>"},
        state=state,
        values=values(log_loss) if state == "complete" else {},
        course={} if state == "complete" else {50: log_loss},
        seconds=seconds,
        ended=60.0 * (1 + (number or 0)),
        seeds={14 + n: {**values(loss), "error": error} for n, loss in enumerate(seeds)},
    )


def report(base, *trials):
    return TuningReport(
        study="s", candidate="linear", judged_on="3 folds", confirmed_on="validation", objectives=("log_loss",),
        space={"linear.c": "0 to 9, logarithmic", "linear.kind": "a, <i>"}, trial_settings={}, sampler="tpe",
        pruner="median", budget_minutes=60, workers=1, base_profile="configs/train.yaml", base=base, trials=trials,
        pareto=find_pareto([t for t in trials if t.state == "complete"]),
    )  # fmt: skip


def test_a_gain_larger_than_the_spread_of_the_seeds_is_beyond_noise():
    found = report(trial(None, 0.30, seeds=(0.30, 0.31, 0.305)), trial(1, 0.20, seeds=(0.21, 0.22, 0.215)))
    assert found.gain.value == pytest.approx(0.09)
    assert 0 < found.gain.low < found.gain.value < found.gain.high
    assert found.verdict.startswith("trial 1 is better beyond noise: log loss 0.0900 better than the base")


def test_a_gain_as_large_as_the_spread_of_the_seeds_is_within_noise():
    found = report(trial(None, 0.30, seeds=(0.30, 0.28, 0.32)), trial(1, 0.20, seeds=(0.29, 0.31, 0.28)))
    assert "is within noise of the base" in found.verdict


def test_a_model_that_ignores_its_seed_is_still_uncertain_by_the_reviews():
    sure = report(trial(None, 0.30, seeds=(0.30, 0.30)), trial(1, 0.29, seeds=(0.29, 0.29), error=0.002))
    unsure = report(trial(None, 0.30, seeds=(0.30, 0.30)), trial(1, 0.29, seeds=(0.29, 0.29), error=0.02))
    assert "better beyond noise" in sure.verdict
    assert "within noise" in unsure.verdict
    assert sure.gain.low == pytest.approx(0.01 - 1.96 * 0.002, abs=1e-4)


def test_the_winner_is_the_best_with_other_seeds_and_not_the_luckiest_trial():
    lucky, steady = trial(1, 0.10, seeds=(0.30, 0.31)), trial(2, 0.20, seeds=(0.21, 0.22))
    found = report(trial(None, 0.25, seeds=(0.25, 0.26)), lucky, steady, trial(3, 0.15))
    assert found.complete[0] is lucky
    assert found.winner is steady
    worse = report(trial(None, 0.2, seeds=(0.20, 0.201)), trial(1, 0.1, seeds=(0.30, 0.301)))
    assert "is worse than the base" in worse.verdict


def test_without_other_seeds_the_gain_may_be_luck():
    found = report(trial(None, 0.3), trial(1, 0.2))
    assert (found.winner.number, found.gain) == (1, None)
    assert "was not trained with other seeds: its gain may be luck" in found.verdict


def test_an_interval_of_accuracy_turns_the_other_way():
    up = gain_interval([0.9, 0.91], [0.8, 0.81], error=0.0, higher=True)
    down = gain_interval([0.9, 0.91], [0.8, 0.81], error=0.0, higher=False)
    assert up.value == pytest.approx(0.1)
    assert (down.low, down.high) == pytest.approx((-up.high, -up.low))


def test_pruning_saves_what_a_complete_trial_takes_beyond_the_pruned_one():
    trials = [trial(1, 0.2, seconds=100), trial(2, 0.3, seconds=120), trial(3, 0.9, state="pruned", seconds=30)]
    assert report(trial(None, 0.3, seconds=110), *trials).saved_seconds == 80


def test_no_other_trial_beats_one_of_the_front_in_both():
    trials = [trial(1, 0.2, accuracy=0.9, cpu_ms=5), trial(2, 0.2, accuracy=0.8, cpu_ms=1)]
    trials += [trial(3, 0.2, accuracy=0.8, cpu_ms=6), trial(4, 0.2, accuracy=0.79, cpu_ms=1)]
    assert find_pareto(trials) == (1, 2)


def test_the_page_shows_the_verdict_the_seeds_and_every_trial_and_escapes_what_users_name():
    seeds = {"seeds": (0.21, 0.22)}
    trials = [trial(1, 0.2, **seeds), trial(2, 0.3), trial(3, 0.25), trial(4, 0.9, state="pruned")]
    html = tuning_page(report(trial(None, 0.3, seeds=(0.30, 0.31)), *trials))
    for words in ("Trial 1 is better beyond noise", "saved by pruning", "trial 1", "0.2150"):
        assert words in html
    assert html.count("<svg") == 4  # time, seeds, parallel, cost; importances need more trials
    assert "<script" not in html
    assert "&lt;i&gt;" in html
    assert "<i>" not in html


def test_the_profile_holds_what_differs_and_where_it_came_from(tmp_path):
    base, path = tmp_path / "train.yaml", tmp_path / "tuned" / "train.s.yaml"
    path.parent.mkdir()
    base.write_text("seed: 1\n")
    values = {"linear.c": 5e-05, "linear.enabled": True, "seed": 3}
    text = write_profile(path, "s", base, values, ["6 trials.", "Within noise."])
    assert path.read_text() == text
    assert text.startswith(
        "# Written by run.py --pipeline tune, study s.\n# 6 trials.\n# Within noise.\nextends: ../train"
    )
    assert yaml.safe_load(text) == {"extends": "../train.yaml", "linear": {"c": 5e-05, "enabled": True}, "seed": 3}
    require_own(path, "s")
    for study, content in (("other", text), ("s", "seed: 1\n")):
        path.write_text(content)
        with pytest.raises(UserError, match="exists, and was not written by the study"):
            require_own(path, study)


def splits(positives, negatives):
    texts = [f"text {n}" for n in range(positives + negatives)]
    frame = pd.DataFrame({"text": texts, "label": [1] * positives + [0] * negatives, "source": "x"})
    return Splits(Reviews(frame), Reviews(frame.head(1)), Reviews(frame.tail(1)))


def test_folds_are_stratified_and_hold_every_training_review_once():
    whole = splits(8, 12)
    folds = [take_fold(whole, 4, n, seed=1) for n in range(4)]
    assert sorted(t for f in folds for t in f.validation.frame["text"]) == sorted(whole.train.frame["text"])
    for fold in folds:
        assert fold.validation.frame["label"].sum() == 2
        assert set(fold.train.frame["text"]).isdisjoint(fold.validation.frame["text"])
        assert fold.test is whole.test
    with pytest.raises(UserError, match="the rarer label has 3 training reviews, too few for 4 folds"):
        take_fold(splits(3, 12), 4, 0, seed=1)
