"""A version that waits for an approval, and is evaluated again."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from sentiment.checks import Check
from sentiment.deployment import Version
from sentiment.promotion.decision import HELD, Decision
from steps.promotion import promote

WAITING = Version("4", "", "linear", "f", promoted=False, reason="", replaced="", waiting=True, approval="pending")


@pytest.mark.parametrize(("rule", "waits"), [(HELD, True), ("floor: size", False)])
def test_it_waits_no_more_if_it_fails_and_waits_anew_if_only_the_approval_is_missing(monkeypatch, rule, waits):
    approval = MagicMock()
    for name in ("versions", "champion", "mlflow_registry", "get_step_context", "log_training", "copy_run", "_record"):
        monkeypatch.setattr(promote, name, MagicMock())
    for name in ("_data_facts", "_find_candidates", "model_card", "asdict"):
        monkeypatch.setattr(promote, name, lambda *_, **__: [])
    monkeypatch.setattr(promote, "approval", approval)
    promote.versions.find_version.return_value = approval.stop_waiting.return_value = WAITING
    failed = Check(name=rule, passed=False, observed="9", limit="8")
    decision = Decision(promote=False, reason="", challenger="linear", champion="1", rules=(failed,))
    evaluation = SimpleNamespace(candidate="linear")
    promote.promote.entrypoint(decision, MagicMock(), None, [evaluation], [None], None, "reviews", {}, "v1")
    assert (approval.ask_for_approval.called, approval.stop_waiting.called) == (waits, not waits)
