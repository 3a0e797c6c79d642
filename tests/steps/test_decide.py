"""What the decision learns about the version that the challenger already is."""

from types import SimpleNamespace

import pytest

from sentiment.deployment import Version
from steps.promotion import decide

VERSION = Version("4", "", "linear", "f", promoted=False, reason="", replaced="")


@pytest.mark.parametrize(
    ("reason", "words"), [("too slow", "version 4: too slow"), ("", "version 4")], ids=["reason", "no reason"]
)
def test_a_decision_knows_that_a_person_rejected_the_version(monkeypatch, reason, words):
    found = {}
    known = Version(**{**vars(VERSION), "approval": "rejected", "approval_reason": reason})
    monkeypatch.setattr(decide.versions, "find_version", lambda *_: known)
    monkeypatch.setattr(decide.decision, "decide", lambda *_, **facts: found.update(facts))
    evaluation = SimpleNamespace(candidate="linear", servable_fingerprint="f")
    decide.decide.entrypoint([evaluation], [None], [], "linear", None, 0, "reviews")
    assert (found["rejected"], found["rolled_back"]) == (words, None)
