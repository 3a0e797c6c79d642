"""What retention deletes in MLflow, and which reports of monitoring it finds in ZenML."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE

from registry.retention import records, tracked

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class FailingClient:
    """Fails at the first call."""

    def __init__(self, code):
        self.code, self.calls = code, []

    def delete_model_version(self, name, version):
        self.calls.append(version)
        if len(self.calls) == 1:
            raise MlflowException("it failed", self.code)

    def delete_run(self, run):
        self.delete_model_version("", run)

    def delete_logged_model(self, model):
        self.delete_model_version("", model)

    def search_model_versions(self):
        return ()


@pytest.fixture
def delete(monkeypatch):
    monkeypatch.setattr(tracked, "is_local", lambda: False)

    def run(code, function, *arguments):
        client = FailingClient(code)
        monkeypatch.setattr(tracked, "connect", lambda: client)
        function(*arguments)
        return client.calls

    return run


CALLS = [(tracked.delete_registered, "m", ["1", "2"]), (tracked.delete_tracked, ["1", "2"], [])]


@pytest.mark.parametrize("call", CALLS)
def test_what_mlflow_no_longer_has_is_skipped(delete, call):
    assert delete(RESOURCE_DOES_NOT_EXIST, *call) == ["1", "2"]


@pytest.mark.parametrize("call", [*CALLS, (tracked.delete_tracked, [], ["1", "2"])])
def test_any_other_error_of_mlflow_is_raised(delete, call):
    with pytest.raises(MlflowException, match="it failed"):
        delete(TEMPORARILY_UNAVAILABLE, *call)


def test_aliases_are_those_of_the_registered_model(monkeypatch):
    """MLflow's SQL store returns none with the versions that it finds."""
    entries = [
        SimpleNamespace(version=str(n), tags={"fingerprint": f"f{n}", "zenml_version": f"{n}0"}, aliases=[])
        for n in (1, 2)
    ]
    client = SimpleNamespace(
        search_registered_models=lambda _: [SimpleNamespace(aliases={"shadow": "2"})],
        search_model_versions=lambda _: entries,
    )
    monkeypatch.setattr(tracked, "connect", lambda: client)
    assert tracked.find_aliases("m") == {("f2", "20"): "shadow"}


def test_each_model_keeps_its_newest_monitoring_reports_and_old_ones_are_found_without_a_run(monkeypatch):
    def report(name, model, days):
        return SimpleNamespace(id=name, created=NOW - timedelta(days=days), run_metadata={"model": model})

    reports = [report("a1", "a", 9), report("a2", "a", 8), report("a3", "a", 7), report("b1", "b", 9)]
    reports += [report("a4", "a", 6), report("a5", "a", 5)]
    page = SimpleNamespace(items=reports, total_pages=1, index=1, max_size=9, total=6)
    client = SimpleNamespace(list_artifact_versions=lambda **_: page)
    monkeypatch.setattr("zenml.client.Client", lambda: client)
    monkeypatch.setattr(records, "MAX_RUNS", 2)
    read, older = records.list_monitoring_reports(NOW - timedelta(days=7, hours=12))
    assert (read, older) == ({"a4", "a5", "b1"}, {"a1", "a2"})  # a3 is too new
