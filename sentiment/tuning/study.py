"""The study of a search: Optuna's, in a database, so that a search that was killed goes on.

Akiba et al. 2019, "Optuna", doi:10.1145/3292500.3330701.
"""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.errors import UserError
from sentiment.models.intermediate import Judge, PrunedError
from sentiment.tuning.report import Trial
from sentiment.tuning.settings import HIGHER_IS_BETTER, Parameter, TuneSettings

if TYPE_CHECKING:
    import optuna

MAX_NAMED = 5  # keys in a message
HEARTBEAT_S, GRACE_S = 30, 120  # a trial whose machine was silent this long is tried again by another one
SIGNATURE = "search"  # what a study must have in common with the search that goes on with it
PROCESS, INTERRUPTED, IS_BASE = "process", "interrupted", "base"  # attributes of a trial
MAX_FAILURES = 3  # trials that fail one after the other: the next one would fail, too

Values = dict[str, Any]
Outcome = tuple[float, ...]


def open_study(settings: TuneSettings, folder: Path, signature: Mapping[str, Any]) -> optuna.Study:
    """Opens the study, or creates it.

    Args:
        settings: The search.
        folder: Where its file is, unless the settings name a storage.
        signature: What decides whether trials can be compared: JSON values by name.

    Raises:
        UserError: If the storage does not answer, or holds another search of this name.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # heartbeats, since 2021
    url = _storage_url(settings, folder)
    where = f"study {settings.study}, {_without_password(url)}"
    try:
        storage = optuna.storages.RDBStorage(
            url,
            heartbeat_interval=HEARTBEAT_S,
            grace_period=GRACE_S,
            heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
        )
        study = optuna.create_study(
            storage=storage,
            study_name=settings.study,
            directions=["maximize" if HIGHER_IS_BETTER[name] else "minimize" for name in settings.objectives],
            load_if_exists=True,
        )
    except Exception as error:  # each database's driver has its own errors
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"the storage cannot be opened ({reason[:200]})", where=where, remedy="Check the setting storage."
        ) from error
    known = study.user_attrs.get(SIGNATURE)
    if known is None:
        study.set_user_attr(SIGNATURE, dict(signature))
    elif known != signature:
        names = sorted(_differences(known, signature))
        raise UserError(
            f"the storage holds another search of this name, with another {', '.join(names[:MAX_NAMED])}",
            where=where,
            remedy="Set study=NAME for a new one.",
        )
    return study


def _differences(known: Mapping[str, Any], given: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yields the keys whose values differ."""
    for name in {*known, *given}:
        old, new = known.get(name), given.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, f"{prefix}{name}.")
        elif old != new:
            yield f"{prefix}{name}"


def _storage_url(settings: TuneSettings, folder: Path) -> str:
    if settings.storage is None:
        folder.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{folder / settings.study}.db"
    if not settings.storage.startswith("$"):
        return settings.storage
    name = settings.storage[1:].strip("{}")
    if not os.environ.get(name):
        raise UserError(f"the variable {name} is not set", where="key storage", remedy=f"Export {name} first.")
    return os.environ[name]


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:  # no URL at all: the error that follows says so
        return "its storage"


def revive_trials(study: optuna.Study) -> int:
    """Queues trials again whose process was killed or interrupted; returns their number."""
    from optuna.storages import RetryHeartbeatStaleTrialCallback
    from optuna.trial import TrialState

    queue, revived = RetryHeartbeatStaleTrialCallback(), 0
    trials = study.get_trials(deepcopy=False)
    replaced = _numbers_of_replaced(trials)
    for trial in trials:
        was_killed = trial.state == TrialState.RUNNING and _is_dead(trial)
        was_interrupted = trial.state == TrialState.FAIL and trial.user_attrs.get(INTERRUPTED)
        if (was_killed or was_interrupted) and trial.number not in replaced:
            queue(study, trial)
            revived += 1
        if was_killed:
            study.tell(trial.number, state=TrialState.FAIL)
    return revived


def _numbers_of_replaced(trials: Sequence[optuna.trial.FrozenTrial]) -> set[int]:
    """Numbers of the trials that were queued again as other trials."""
    return {number for trial in trials for number in trial.system_attrs.get("retry_history", ())}


def _is_dead(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether the process of a running trial has ended; False on other machines, which send heartbeats."""
    import psutil

    if PROCESS not in trial.user_attrs:  # it was killed, or asked for a moment ago
        return trial.datetime_start is None or (datetime.now() - trial.datetime_start).total_seconds() > GRACE_S
    host, pid, started = trial.user_attrs[PROCESS]
    if host != socket.gethostname():
        return False
    try:
        return bool(abs(psutil.Process(pid).create_time() - started) > 1)
    except psutil.NoSuchProcess:
        return True


def run_trial(
    study: optuna.Study, settings: TuneSettings, objective: Callable[[optuna.Trial, Values], Outcome], *, seed: int
) -> optuna.trial.FrozenTrial | None:
    """Draws values and runs one trial; None if a grid has no combination left.

    Args:
        study: The study.
        settings: The search.
        objective: Runs a trial with these values by key, and returns the objectives. :class:`PrunedError` and Optuna's
            ``TrialPruned`` end it as pruned; any other exception ends it as failed, with the reason.
        seed: Draws the values, together with the number of trials so far.
    """
    import optuna
    import psutil
    from optuna.trial import TrialState

    study.sampler = _make_sampler(settings, seed + len(study.get_trials(deepcopy=False)))
    study.pruner = _make_pruner(settings)
    if isinstance(study.sampler, optuna.samplers.GridSampler) and study.sampler.is_exhausted(study):
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if not waiting:
            return None
    ended: list[int] = []

    def run(trial: optuna.Trial) -> Outcome:
        ended.append(trial.number)
        started = psutil.Process().create_time()
        for key, parameter in settings.space.items():
            _suggest(trial, key, _distribution(parameter))
        trial.set_user_attr(INTERRUPTED, value=False)  # one that is tried again has the attributes of the first
        trial.set_user_attr(PROCESS, [socket.gethostname(), os.getpid(), started])
        if count_trials(study, before=trial.number) >= settings.budget.trials:
            trial.set_user_attr(INTERRUPTED, value=True)  # another worker took the last one; a larger budget runs it
            raise RuntimeError("the budget is spent")
        try:
            return objective(trial, {key: _shorten(value) for key, value in trial.params.items()})
        except PrunedError as pruned:
            raise optuna.TrialPruned from pruned
        except optuna.TrialPruned:
            raise
        except KeyboardInterrupt:
            trial.set_user_attr(INTERRUPTED, value=True)
            raise
        except Exception as error:
            trial.set_user_attr("error", (str(error).strip() or type(error).__name__).splitlines()[0][:300])
            raise

    study.optimize(run, n_trials=1, catch=(Exception,))
    return study.get_trials(deepcopy=False)[ended[-1]] if ended else None


def make_judge(trial: optuna.Trial, settings: TuneSettings) -> Judge:
    """Returns the judge of a trial: it reports the first objective, and ends the trial if the pruner gives it up."""

    def judge(share: float, *, accuracy: float, log_loss: float) -> None:
        values = {"accuracy": accuracy, "log_loss": log_loss}
        report_value(trial, settings, round(100 * share), values)

    return judge


def report_value(trial: optuna.Trial, settings: TuneSettings, percent: int, values: Mapping[str, float]) -> None:
    """Reports the first objective after this percentage of the trial.

    Raises:
        PrunedError: If the pruner gives the trial up.
    """
    first = settings.objectives[0]
    if len(settings.objectives) > 1 or first not in values or percent >= 100:
        return  # Optuna prunes by one objective only; the end of a trial is no reason to prune it
    trial.report(values[first], step=percent)
    if trial.should_prune():
        raise PrunedError(f"pruned at {percent}%")


def require_progress(study: optuna.Study, last: Sequence[optuna.trial.FrozenTrial]) -> None:
    """Raises a UserError if the last trials of this process all failed: the next ones would fail, too."""
    from optuna.trial import TrialState

    recent = last[-MAX_FAILURES:]
    if len(recent) == MAX_FAILURES and all(trial.state == TrialState.FAIL for trial in recent):
        raise UserError(
            f"{MAX_FAILURES} trials in a row failed, the last one with: {recent[-1].user_attrs.get('error', '-')}",
            where=f"study {study.study_name}",
            remedy="Fix the cause and start again, or change the space and set study=NAME.",
        )


def count_trials(study: optuna.Study, *, before: int | None = None) -> int:
    """Counts the trials that the budget pays: those that run anywhere, and those that ended without failing.

    Args:
        study: The study.
        before: Counts only the trials that were started before the one of this number; None: all.
    """
    from optuna.trial import TrialState

    found = [*study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)), *_ended(study)]
    return sum(trial.state != TrialState.FAIL and (before is None or trial.number < before) for trial in found)


def spent_seconds(study: optuna.Study) -> float:
    """Sums the time of all trials that ended by themselves."""
    return sum(trial.duration.total_seconds() for trial in _ended(study) if trial.duration)


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Lists the trials that ended by themselves, in the order of their ends."""
    trials = study.get_trials(deepcopy=False)
    replaced = _numbers_of_replaced(trials)
    ended = [
        trial
        for trial in trials
        if trial.state.is_finished()
        and trial.number not in replaced
        and not trial.user_attrs.get(INTERRUPTED)
        and not trial.user_attrs.get(IS_BASE)
    ]
    return sorted(ended, key=lambda trial: (trial.datetime_complete, trial.number))


def _suggest(trial: optuna.Trial, key: str, values: optuna.distributions.BaseDistribution) -> None:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, CategoricalDistribution):
        trial.suggest_categorical(key, values.choices)
    elif isinstance(values, IntDistribution):
        trial.suggest_int(key, values.low, values.high, step=values.step, log=values.log)
    elif isinstance(values, FloatDistribution):
        trial.suggest_float(key, values.low, values.high, step=values.step, log=values.log)


def _distribution(parameter: Parameter) -> optuna.distributions.BaseDistribution:
    from optuna import distributions

    if parameter.choices:
        return distributions.CategoricalDistribution(parameter.choices)
    low, high, step = parameter.low, parameter.high, parameter.step
    assert low is not None and high is not None  # checked by the settings
    if parameter.is_whole:
        return distributions.IntDistribution(int(low), int(high), log=parameter.log, step=int(step or 1))
    return distributions.FloatDistribution(low, high, log=parameter.log, step=step)


def _make_sampler(settings: TuneSettings, seed: int) -> optuna.samplers.BaseSampler:
    from optuna import samplers

    if settings.sampler == "grid":
        space = {key: list(parameter.grid() or ()) for key, parameter in settings.space.items()}
        return samplers.GridSampler(space, seed=0)  # another seed would number the combinations anew
    if settings.sampler == "random":
        return samplers.RandomSampler(seed=seed)
    if settings.sampler == "gp":
        return samplers.GPSampler(seed=seed)
    return samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=8)


def _make_pruner(settings: TuneSettings) -> optuna.pruners.BasePruner:
    """Median: worse than the median of the trials so far, at the same share; hyperband: Li et al. 2018, JMLR 18."""
    from optuna import pruners

    if settings.pruner == "median":
        return pruners.MedianPruner(n_startup_trials=4)
    if settings.pruner == "hyperband":
        return pruners.HyperbandPruner(min_resource=10, max_resource=100)
    return pruners.NopPruner()


def read_trials(study: optuna.Study, settings: TuneSettings) -> tuple[Trial, ...]:
    """Reads every trial that ended by itself, in the order of their ends."""
    found, seconds = [], 0.0
    for trial in _ended(study):
        own = trial.duration.total_seconds() if trial.duration else 0.0
        seconds += own
        number = trial.number
        found.append(
            Trial(
                number=number,
                params={key: _shorten(value) for key, value in trial.params.items()},
                state=trial.state.name.lower(),
                values=trial.user_attrs.get("values", {}),
                course=trial.intermediate_values,
                seconds=own,
                ended=seconds,
                run=trial.user_attrs.get("run", ""),
                error=trial.user_attrs.get("error", ""),
                seeds=_read_seeds(study, str(number)),
            )
        )
    return tuple(found)


def read_base(study: optuna.Study) -> Trial | None:
    """Reads the figures of the base; None if it was not measured yet."""
    stored = study.user_attrs.get("base")
    return None if stored is None else Trial.model_validate({**stored, "seeds": _read_seeds(study, "base")})


def record_base(study: optuna.Study, settings: TuneSettings, base: Trial) -> None:
    """Records the figures of the base, also as a trial if its values lie within the space: samplers learn from it."""
    import optuna

    distributions = {key: _distribution(parameter) for key, parameter in settings.space.items()}
    try:
        known = optuna.create_trial(
            params=base.params,
            distributions=distributions,
            values=[base.values[name] for name in settings.objectives],
            intermediate_values=base.course,
            user_attrs={IS_BASE: True},
        )
    except ValueError:  # outside the space
        known = None
    if known is not None:
        study.add_trial(known)
    study.set_user_attr("base", base.model_dump(mode="json", exclude={"seeds"}))


def record_seed(study: optuna.Study, name: str, seed: int, values: Mapping[str, float]) -> None:
    """Records the figures of a trial, or of the base, with another seed."""
    study.set_user_attr(f"seed {seed} of {name}", dict(values))


def _read_seeds(study: optuna.Study, name: str) -> dict[int, dict[str, float]]:
    found = {}
    for key, value in study.user_attrs.items():
        words = key.split(" ")
        if len(words) == 4 and words[0] == "seed" and words[3] == name:
            found[int(words[1])] = value
    return dict(sorted(found.items()))


def _shorten(value: Any) -> Any:  # noqa: ANN401  # any YAML value
    """Rounds a float to the digits that a profile shows."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
