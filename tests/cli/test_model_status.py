"""The status of a model while the deployer cannot say which version is live."""

from types import SimpleNamespace

from cli import model_status
from sentiment.errors import UserError


def test_a_deployer_that_does_not_answer_is_a_warning_and_the_rest_is_shown(monkeypatch):
    def live():
        raise UserError("the keys have expired", where="AWS", remedy="Log in.")

    monkeypatch.setattr(model_status, "find_deployer", lambda: SimpleNamespace(live=live))
    monkeypatch.setattr(model_status.versions, "list_versions", lambda _: [])
    monkeypatch.setattr(model_status, "read_history", lambda _: ((), None))
    status = model_status.read_status("m")
    assert (status.live, status.health) == (None, None)
    assert status.warning == "it is unknown which version is live: AWS: the keys have expired. Log in."
