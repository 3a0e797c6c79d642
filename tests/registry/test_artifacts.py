"""Artifacts of earlier versions of the code can still be loaded."""

import json
from importlib import import_module

import pytest

from registry.artifacts import MOVED
from sentiment.promotion.decision import Decision

RULE = {"name": "gain: latency", "passed": False, "observed": "1.0", "limit": "0.7", "detail": "", "blocking": False}
STORED = {"promote": False, "reason": "a tie", "challenger": "cascade", "champion": "2", "rules": [RULE]}


@pytest.mark.parametrize("moved", MOVED.values())
def test_a_type_that_moved_is_at_its_new_place(moved):
    module, _, name = moved.rpartition(".")
    assert isinstance(getattr(import_module(module), name), type)


@pytest.mark.parametrize(("blocking", "severity"), [(True, "critical"), (False, "warning")])
def test_a_decision_that_was_stored_with_blocking_rules_is_read(blocking, severity):
    stored = {**STORED, "rules": [{**RULE, "blocking": blocking}]}
    decision = Decision.model_validate_json(json.dumps(stored))
    assert (decision.rules[0].severity, decision.rules[0].blocks) == (severity, blocking)
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
