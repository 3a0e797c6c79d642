"""How much each key explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna

MIN_TRIALS = 6  # below this, importances mean nothing


def find_importances(study: optuna.Study) -> dict[str, float]:
    """Returns the share of the first objective's variance that each key explains; empty for few trials.

    The largest comes first.

    Functional ANOVA: Hutter et al. 2014, https://proceedings.mlr.press/v32/hutter14.html.
    """
    import optuna

    complete = [t for t in study.get_trials(deepcopy=False) if t.state == optuna.trial.TrialState.COMPLETE]
    if len(complete) < MIN_TRIALS or len({t.values[0] for t in complete}) < 2:
        return {}
    target = (lambda trial: trial.values[0]) if len(complete[0].values) > 1 else None
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return {
        key: float(value)
        for key, value in optuna.importance.get_param_importances(study, evaluator=evaluator, target=target).items()
    }
