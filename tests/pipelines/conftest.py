"""Real pipelines on a local stack of the tests. All tests share one ZenML, and each module has its own model name."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers import command_line

SMOKE = "configs/train.smoke.yaml"

# Limits that a model of a few hundred reviews can keep. The baseline rule would need more data.
PROMOTION = f"""
extends: {command_line.ROOT}/configs/promotion.smoke.yaml
baseline: {{candidate: none, required: false}}
gains: {{latency_ms: 1.0e+6}} # the cores may be busy: no model is promoted because it was faster
margins: {{fast_enough_ms: 1.0e+6}} # or refused because it was slower
floors: {{max_p95_latency_ms: 1.0e+6}}
"""


QUICK = {"test_settings.py"}


def pytest_collection_modifyitems(items):
    for item in items:
        path = Path(item.path)
        if path.is_relative_to(Path(__file__).parent) and path.name not in QUICK:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def unsynced_databases():
    """Lets SQLite leave writing to the operating system: hundreds of commits a run need not survive a power cut."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def leave_unsynced(connection, _):
        if type(connection).__module__ == "sqlite3":
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", leave_unsynced)
    yield
    event.remove(Engine, "connect", leave_unsynced)


@pytest.fixture(autouse=True)
def in_repository(monkeypatch):
    monkeypatch.chdir(command_line.ROOT)


@pytest.fixture(scope="session")
def promotion(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("promotion") / "promotion.yaml"
    path.write_text(PROMOTION)
    return path


@pytest.fixture(scope="session")
def train(promotion):
    """Returns the arguments that train ``model`` on the smoke profile."""

    def arguments(model: str, *more: str | Path) -> list[str | Path]:
        start = ["--pipeline", "train", "--config", SMOKE, "--json", "--set", f"model={model}"]
        return [*start, "--set", f"promotion={promotion}", *more]

    return arguments


@pytest.fixture(scope="session")
def reviews_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    command_line.sentences(400).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def first(train):
    """The first run of the whole smoke profile, in a process of its own, as users start it."""
    return command_line.run_process(*train("sentiment"))


@pytest.fixture(scope="session")
def linear_model(train, reviews_file):
    """A model whose version 1 is in production; tests that share it change neither stages nor versions."""
    source = ("--set", f"source.source=file:{reviews_file}")
    arguments = train("shared", *command_line.LINEAR, *source)
    summary = command_line.run(*arguments).summary
    assert summary["promoted"], summary["reason"]
    return SimpleNamespace(name="shared", arguments=arguments, summary=summary)


@pytest.fixture
def cloud_variables(cloud, monkeypatch):
    """Connects this process to the cloud stack's servers."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of this module's stack files, in place of the project's."""
    from stacks.stack_file import read_stack

    folder = tmp_path_factory.mktemp("loop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.session.read_stack", lambda name, _: read_stack(name, folder))
        yield folder
