"""Monitoring runs, from the metadata of their reports."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from registry.history import _monitoring_run


@pytest.mark.parametrize("actions", [{}, {"input_drift": "alert: in 1 of 2 windows; retrain at 2 of 3"}])
def test_a_monitoring_run_has_the_action_of_each_finding_if_it_was_recorded(actions):
    metadata = {
        "model_version": "3",
        "failed_checks": ["input_drift: MMD"],
        **({"actions": actions} if actions else {}),
    }
    found = _monitoring_run(SimpleNamespace(created=datetime(2026, 11, 21, tzinfo=UTC), run_metadata=metadata))
    assert (found.version, found.actions) == ("3", actions)
