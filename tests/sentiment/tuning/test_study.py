"""The study: it goes on after a kill, prunes, and tells another search from its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment.errors import UserError
from sentiment.models.intermediate import judging, report_evaluation
from sentiment.tuning.importance import find_importances
from sentiment.tuning.report import Trial
from sentiment.tuning.settings import TuneSettings
from sentiment.tuning.study import (
    count_trials,
    make_judge,
    open_study,
    read_base,
    read_trials,
    record_base,
    record_seed,
    report_value,
    require_progress,
    revive_trials,
    run_trial,
)

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = TuneSettings(
    study="s", space={"a.x": {"low": 0.0, "high": 1.0}, "a.n": {"choices": [1, 2]}}, sampler="random"
)
SIGNATURE = {"space": "x", "base": "b"}


def values_of(params):
    return {"log_loss": (params["a.x"] - 0.3) ** 2, "accuracy": 1 - params["a.x"], "cpu_ms": 1.0}


def work(trial, params):
    trial.set_user_attr("values", values_of(params))
    return (values_of(params)["log_loss"],)


def run(study, settings=SETTINGS, count=1, objective=work, seed=5):
    for _ in range(count):
        run_trial(study, settings, objective, seed=seed)
    return read_trials(study, settings)


def test_a_search_goes_on_with_other_values_and_draws_what_it_would_have_drawn_in_one_go(tmp_path):
    whole = run(open_study(SETTINGS, tmp_path / "whole", SIGNATURE), count=4)
    run(open_study(SETTINGS, tmp_path / "parts", SIGNATURE), count=2)
    parts = run(open_study(SETTINGS, tmp_path / "parts", SIGNATURE), count=2)
    assert [t.params for t in parts] == [t.params for t in whole]
    assert len({t.params["a.x"] for t in parts}) == 4
    other = run(open_study(SETTINGS, tmp_path / "other", SIGNATURE), count=4, seed=6)
    assert [t.params for t in other] != [t.params for t in whole]


def test_the_storage_of_another_search_is_refused_and_what_differs_is_named(tmp_path):
    run(open_study(SETTINGS, tmp_path, SIGNATURE))
    with pytest.raises(
        UserError, match=r"holds another search of this name, with another base, folds\. Set study=NAME"
    ):
        open_study(SETTINGS, tmp_path, {**SIGNATURE, "base": "c", "folds": 3})
    assert len(read_trials(open_study(SETTINGS, tmp_path, SIGNATURE), SETTINGS)) == 1


def test_a_storage_that_does_not_answer_is_one_line_without_its_password(tmp_path):
    wrong = SETTINGS.model_copy(update={"storage": "postgresql://user:secret@127.0.0.1:1/db"})
    with pytest.raises(UserError, match=r"user:\*\*\*@127.*the storage cannot be opened") as error:
        open_study(wrong, tmp_path, SIGNATURE)
    assert "secret" not in str(error.value)
    with pytest.raises(UserError, match="the variable NO_SUCH_DB is not set"):
        open_study(SETTINGS.model_copy(update={"storage": "$NO_SUCH_DB"}), tmp_path, SIGNATURE)


CHILD = """
import os, signal, sys
from pathlib import Path
from tests.sentiment.tuning.test_study import *

def die(trial, params):
    print(params["a.x"], params["a.n"], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

run(open_study(SETTINGS, Path(sys.argv[1]), SIGNATURE), objective=die)
"""


def test_a_trial_whose_process_was_killed_is_tried_again_with_its_values(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    x, n = done.stdout.split()
    study = open_study(SETTINGS, tmp_path, SIGNATURE)
    assert revive_trials(study) == 1
    assert revive_trials(study) == 0  # once is enough
    (trial,) = run(study)
    assert (trial.params, trial.state) == ({"a.x": float(x), "a.n": int(n)}, "complete")


def test_an_interrupted_trial_is_tried_again_and_one_that_runs_elsewhere_is_left_alone(tmp_path):
    study = open_study(SETTINGS, tmp_path, SIGNATURE)

    def interrupt(trial, params):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(study, objective=interrupt)
    running = study.ask()
    running.set_user_attr("process", ["another machine", os.getpid(), 0.0])
    assert revive_trials(study) == 1
    assert run(study)[0].state == "complete"


def test_two_workers_never_start_more_trials_than_the_budget_has(tmp_path):
    settings = TuneSettings.model_validate({**SETTINGS.model_dump(), "budget": {"trials": 2}})
    study = open_study(settings, tmp_path, SIGNATURE)

    def race(trial, params):
        """Another worker asks for the last trial; a third one, at the same moment, for one more."""
        for _ in range(2):
            running = study.ask()
            running.set_user_attr("process", ["another machine", os.getpid(), 0.0])
        assert count_trials(study) == 3
        return (0.1,)

    run(study, settings=settings, objective=race)
    done = run_trial(study, settings, race, seed=0)
    assert done.state.name == "FAIL"
    assert len(read_trials(study, settings)) == 1
    assert revive_trials(study) == 1, "a larger budget runs it"


def test_a_trial_that_dies_twice_is_tried_once_more_and_not_at_every_start(tmp_path):
    study = open_study(SETTINGS, tmp_path, SIGNATURE)

    def interrupt(trial, params):
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(study, objective=interrupt)
        assert revive_trials(study) == 1
    assert revive_trials(study) == 0
    (trial,) = run(study)
    assert revive_trials(study) == 0
    assert [t.state for t in run(study)] == ["complete"] * 2
    assert trial.state == "complete"


def test_a_failed_trial_keeps_its_reason_and_three_in_a_row_end_the_search_even_after_others_worked(tmp_path):
    study = open_study(SETTINGS, tmp_path, SIGNATURE)

    def fail(trial, params):
        raise UserError("no space left", where="disk")

    ended = [run_trial(study, SETTINGS, objective, seed=5) for objective in (work, fail, work, fail, fail)]
    assert [(t.state, t.error) for t in read_trials(study, SETTINGS)][1] == ("fail", "disk: no space left")
    require_progress(study, ended)
    ended.append(run_trial(study, SETTINGS, fail, seed=5))
    with pytest.raises(UserError, match="3 trials in a row failed, the last one with: disk: no space left"):
        require_progress(study, ended)


def test_a_hopeless_trial_is_pruned_by_its_evaluations_while_it_trains(tmp_path):
    study, settings = open_study(SETTINGS, tmp_path, SIGNATURE), SETTINGS
    losses = iter([0.2] * 5 + [0.9])

    def train(trial, params):
        loss = next(losses)
        with judging(make_judge(trial, settings)):
            for share in (0.25, 0.5, 1.0):
                report_evaluation(share, accuracy=0.5, log_loss=loss)
        return (loss,)

    trials = run(study, count=6, objective=train)
    assert [t.state for t in trials] == ["complete"] * 5 + ["pruned"]
    assert trials[-1].course == {25: 0.9}
    assert trials[0].course == {25: 0.2, 50: 0.2}  # the end of a trial prunes nothing


def test_accuracy_is_pruned_where_it_is_low(tmp_path):
    settings = SETTINGS.model_copy(update={"objectives": ("accuracy",)})
    study = open_study(settings, tmp_path, SIGNATURE)
    reached = iter([0.8] * 5 + [0.6, 0.9])

    def train(trial, params):
        accuracy = next(reached)
        report_value(trial, settings, 50, {"accuracy": accuracy, "log_loss": 1.0})
        return (accuracy,)

    assert [t.state for t in run(study, settings, 7, train)] == ["complete"] * 5 + ["pruned", "complete"]


def test_a_grid_is_tried_once_each_and_ends(tmp_path):
    space = {"a.x": {"choices": [0.1, 0.2]}, "a.n": {"low": 1, "high": 2}}
    settings = TuneSettings(study="g", space=space, sampler="grid", pruner="none")
    study = open_study(settings, tmp_path, SIGNATURE)
    trials = run(study, settings, 6)
    assert sorted((t.params["a.x"], t.params["a.n"]) for t in trials) == [(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)]


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_a_sampler_that_learns_comes_nearer_to_the_optimum_than_its_first_draws(tmp_path, sampler):
    settings = SETTINGS.model_copy(update={"sampler": sampler, "study": sampler})
    trials = run(open_study(settings, tmp_path, SIGNATURE), settings, 20)
    losses = [t.values["log_loss"] for t in trials]
    assert sum(losses[-5:]) < sum(losses[:5])


def test_the_base_is_kept_apart_and_samplers_learn_from_it_where_it_lies_in_the_space(tmp_path):
    for name, x, known in (("inside", 0.5, 1), ("outside", 2.0, 0)):
        study = open_study(SETTINGS.model_copy(update={"study": name}), tmp_path, SIGNATURE)
        params = {"a.x": x, "a.n": 1}
        base = Trial(number=None, params=params, state="complete", values=values_of(params), seconds=3, ended=3)
        record_base(study, SETTINGS, base)
        record_seed(study, "base", 14, {"log_loss": 0.25, "error": 0.0})
        assert read_trials(study, SETTINGS) == ()
        assert len(study.trials) == known
        assert read_base(study) == base.model_copy(update={"seeds": {14: {"log_loss": 0.25, "error": 0.0}}})


@pytest.mark.parametrize("sampler", ["random", "tpe", "gp"])
def test_a_search_for_two_objectives_keeps_both_and_says_what_mattered_for_the_first(tmp_path, sampler):
    two = {"objectives": ("log_loss", "cpu_ms"), "pruner": "none", "sampler": sampler, "study": sampler}
    settings = SETTINGS.model_copy(update=two)
    study = open_study(settings, tmp_path, SIGNATURE)
    params = {"a.x": 0.5, "a.n": 1}
    base = Trial(number=None, params=params, state="complete", values=values_of(params), seconds=3, ended=3)
    record_base(study, settings, base)

    def both(trial, drawn):
        trial.set_user_attr("values", values_of(drawn) | {"cpu_ms": float(drawn["a.n"])})
        return values_of(drawn)["log_loss"], float(drawn["a.n"])

    trials = run(study, settings, 12, both)
    assert [t.state for t in trials] == ["complete"] * 12
    assert {t.values["cpu_ms"] for t in trials} == {1.0, 2.0}
    shares = find_importances(study)
    assert max(shares, key=shares.get) == "a.x"
    assert sum(shares.values()) == pytest.approx(1)


def test_few_trials_say_nothing_about_what_mattered(tmp_path):
    study = open_study(SETTINGS, tmp_path, SIGNATURE)
    run(study, count=3)
    assert find_importances(study) == {}
