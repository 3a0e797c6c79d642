"""The space and the settings of a search."""

import pytest

from sentiment.tuning.settings import Parameter, TuneSettings

SPACE = {"linear.inverse_regularization": {"low": 0.1, "high": 10, "log": True}}


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"choices": ["a", 2, True]}, ("a", 2, True)),
        ({"low": 1, "high": 4}, (1, 2, 3, 4)),
        ({"low": 0, "high": 10, "step": 5}, (0, 5, 10)),
        ({"low": 0.0, "high": 0.3, "step": 0.1}, (0.0, 0.1, 0.2, 0.3)),
        ({"low": 2.5, "high": 2.5}, (2.5,)),
        ({"low": 0.0, "high": 1.0}, None),
        ({"low": 1, "high": 100, "log": True}, None),
    ],
)
def test_a_grid_holds_every_value_of_a_parameter_that_has_finitely_many(given, values):
    grid = Parameter(**given).grid()
    assert grid == (None if values is None else pytest.approx(values) if values[0] == 0.0 else values)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "give low and high, or choices"),
        ({"low": 1}, "give low and high, or choices"),
        ({"low": 1, "high": 2, "choices": [1]}, "give low and high, or choices"),
        ({"low": 3, "high": 2}, "low 3 is above high 2"),
        ({"low": 0, "high": 2, "log": True}, "log needs a range above 0"),
        ({"low": 1, "high": 2, "log": True, "step": 1}, "log needs a range above 0, without step"),
        ({"choices": []}, "at least 1"),
        ({"choices": [1, 1]}, "given twice"),
    ],
)
def test_an_impossible_parameter_is_refused_with_the_reason(given, reason):
    with pytest.raises(ValueError, match=reason):
        Parameter(**given)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"space": {}}, "the space is empty: name at least one key"),
        ({"objectives": ["log_loss", "cpu_ms"]}, "a pruner compares trials by one objective"),
        ({"objectives": ["log_loss", "log_loss"], "pruner": "none"}, "named twice"),
        ({"sampler": "grid"}, r"a grid needs choices or a step for linear\.inverse_regularization"),
        ({"trial": {"linear.inverse_regularization": 3}}, "is in space and in trial"),
        ({"study": "a b"}, "pattern"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changed, reason):
    with pytest.raises(ValueError, match=reason):
        TuneSettings(**{"space": SPACE, **changed})
