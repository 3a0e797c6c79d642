"""The real thing: ``run.py`` on a local stack of its own. Tests share one ZenML and keep apart by model name."""

from pathlib import Path

import pytest

from tests.helpers import command_line

SMOKE = "configs/train.smoke.yaml"

# What a model of a few hundred reviews can keep; the baseline rule needs more data to show a difference.
PROMOTION = f"""
extends: {command_line.ROOT}/configs/promotion.smoke.yaml
baseline: {{candidate: none, required: false}}
gains: {{latency_ms: 1.0e+6}} # other tests may be using the cores: no run is promoted for having been faster
margins: {{fast_enough_ms: 1.0e+6}} # nor refused for having been slower
floors: {{max_p95_latency_ms: 1.0e+6}}
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.path).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(command_line.ROOT)


@pytest.fixture(scope="session")
def promotion(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("promotion") / "promotion.yaml"
    path.write_text(PROMOTION)
    return path


@pytest.fixture(scope="session")
def train(promotion):
    """Arguments that train ``model`` on the smoke profile."""

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
    """The first run of the whole smoke profile, as a person starts it."""
    return command_line.process(*train("sentiment"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Stack files of this module, instead of the project's."""
    from stacks.stack_file import read_stack

    folder = tmp_path_factory.mktemp("loop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.session.read_stack", lambda name, _: read_stack(name, folder))
        yield folder
