"""The steps of the linear model, the SVM and the forest."""

import pytest

from sentiment.checks import Check, CheckReport
from sentiment.errors import UserError
from sentiment.models.class_weights import ClassWeightSettings
from sentiment.models.forest import ForestSettings
from sentiment.models.linear import LinearSettings
from sentiment.models.svm import SvmSettings
from sentiment.reviews.table import Splits
from steps.training.train_forest import train_forest
from steps.training.train_linear import train_linear
from steps.training.train_svm import train_svm
from tests.helpers import tiny_transformer as tiny

STEPS = {
    "linear": (train_linear, LinearSettings(hash_bits=12)),
    "svm": (train_svm, SvmSettings(hash_bits=12)),
    "forest": (train_forest, ForestSettings(trees=10)),
}
SPLITS = Splits(tiny.reviews(120, 1), tiny.reviews(60, 2), tiny.reviews(60, 3))
CHECKS = CheckReport(suite="leakage", checks=())


@pytest.mark.parametrize("name", STEPS)
def test_a_bias_is_fitted_where_the_labels_weigh_differently(name):
    step, settings = STEPS[name]
    even, weighted = (
        step.entrypoint(SPLITS, CHECKS, settings, 1, ClassWeightSettings(weights=weights)).manifest
        for weights in ("auto", (1.0, 3.0))
    )
    assert even.kind == weighted.kind == ("forest" if name == "forest" else "linear")
    assert even.data_fingerprint == SPLITS.fingerprint
    assert even.training_seconds > 0
    assert even.bias == 0 != weighted.bias
    assert even.threshold == weighted.threshold == 0.5


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_trained_on_splits_that_leak(name):
    leak = Check(name="overlap", severity="critical", passed=False, observed="1", limit="0")
    with pytest.raises(UserError, match="overlap"):
        STEPS[name][0].entrypoint(
            SPLITS, CheckReport(suite="leakage", checks=(leak,)), STEPS[name][1], 1, ClassWeightSettings()
        )


@pytest.mark.parametrize("name", STEPS)
def test_a_step_runs_again_when_their_common_part_changes(name):
    assert "steps/training/words.py" in STEPS[name][0].configuration.cache_policy.file_dependencies
