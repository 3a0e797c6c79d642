"""The reason why the health of the live service is unknown."""

from types import SimpleNamespace

from sentiment.errors import UserError
from sentiment.monitoring.settings import HealthSettings
from serving import health


def test_an_error_of_the_deployer_is_its_own_line(monkeypatch):
    def live():
        raise UserError("the keys have expired", where="AWS", remedy="Log in.")

    monkeypatch.setattr(health, "find_deployer", lambda: SimpleNamespace(live=live))
    assert health.read_health(HealthSettings(), hours=1) == (None, "AWS: the keys have expired. Log in.")
