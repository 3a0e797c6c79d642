"""Cascades of one, two and three stages: trained, promoted, served, reused, and retrained by the loop."""

import json
import urllib.request

import pytest

from stacks.processes import find_program
from tests.helpers import command_line, users
from tests.helpers import tiny_transformer as tiny
from tests.helpers.loop import Loop, start
from tests.helpers.loopback import free_ports

STAGES = ("linear", "transformer", "large_transformer")


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    """Settings of two tiny encoders: the pipeline is the real one, training takes seconds."""
    model = tiny.save_encoder(tmp_path_factory.mktemp("encoder"))
    recipe = {"model": str(model), "max_length": 32, "freeze_embeddings": False, "long_rows": 50}
    return {
        "transformer": {**recipe, "enabled": True},
        "large_transformer": {**recipe, "enabled": True, "learning_rate": 1e-3},
        "export": {"max_length": 32},
        "large_export": {"max_length": 32},
        "challenger": "cascade",
    }


def settings_of(encoders, stages):
    cascade = {"enabled": True, "stages": list(stages), "accuracy_tolerance": 1}
    return {**encoders, "cascade": cascade}


def write_train_file(path, base, values):
    path.write_text(json.dumps({"extends": str(base), **values}))
    return path


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_cascade_of_any_number_of_stages_passes_the_gates(count, encoders, train, reviews_file, tmp_path):
    values = settings_of(encoders, STAGES[:count])
    values["large_transformer"] = {**values["large_transformer"], "enabled": count == 3}
    values["transformer"] = {**values["transformer"], "enabled": count >= 2}
    smoke = command_line.ROOT / "configs" / "train.smoke.yaml"
    config = write_train_file(tmp_path / "train.yaml", smoke, values)
    arguments = train(f"stages{count}", "--config", config, "--set", f"source.source=file:{reviews_file}")
    result = command_line.run(*arguments)
    summary = result.summary
    assert (summary["challenger"], summary["promoted"]) == ("cascade", True), summary["reason"]
    assert set(summary["metrics"]) == {"cascade", *STAGES[:count]}
    (version,) = command_line.list_versions(f"stages{count}")
    assert version["stages"] == list(STAGES[:count])
    shown = " ".join(command_line.run("status", "--model", f"stages{count}").out.split())
    assert f"production: version 1 of stages{count}, cascade ({' > '.join(STAGES[:count])})" in shown


@pytest.fixture(scope="module")
def loop(folder, reviews_file, promotion, encoders):
    """A model with three stages whose version 1 is live on a stack of its own, and logs texts."""
    http, grpc = free_ports(2)
    (folder / "staged.yaml").write_text(
        "components:\n"
        "  orchestrator: {flavor: local}\n"
        "  artifact_store: {flavor: local}\n"
        "  experiment_tracker: {flavor: mlflow}\n"
        "  model_deployer:\n    flavor: sentiment_bento\n"
        f"    configuration: {{http_port: {http}, grpc_port: {grpc}, workers: 1, log_text: true}}\n"
    )
    yield from start(
        Loop("staged", "staged", folder / "staged"), reviews_file, promotion, settings_of(encoders, STAGES)
    )


@pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed")
def test_the_closed_loop_retrains_and_switches_three_stages(loop):
    with urllib.request.urlopen(f"{loop.http}/v1/info", timeout=10) as answer:
        assert json.load(answer)["stages"] == list(STAGES)
    loop.use(users.drifted(300, seed=2), labels=300)
    with users.constant_traffic(loop.http):
        turn = loop.turn().summary
    assert (turn["outcome"], turn["train"]["challenger"]) == ("switched", "cascade"), turn["reason"]
    assert loop.state == ("2", "2", [])
    assert loop.status["live"]["stages"] == list(STAGES)


@pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed")
def test_stages_of_an_earlier_version_are_reused_on_the_same_splits_only(loop):
    again = ("--pipeline", "train", "--config", loop.folder / "train.yaml", "--set", f"model={loop.model}")
    reused = loop.run(*again, "--set", "reuse.transformer=2", "--set", "reuse.large_transformer=2")
    assert reused.summary["reason"] == "identical to champion version 2"
    assert "reuse_large_transformer" in reused.err
    assert "train_large_transformer" not in reused.err
    unknown = loop.run(*again, "--set", "reuse.transformer=99")
    assert unknown.err.splitlines()[-1].startswith("error: model staged: there is no version 99")
    refused = loop.run(*again, "--set", "reuse.transformer=1")
    assert refused.code == 2
    assert refused.err.splitlines()[-1].startswith(
        "error: reuse.transformer: the transformer of that version was trained on other splits"
    )
