"""Stack files that name several experiment trackers."""

import json

import pytest

from sentiment.errors import UserError
from stacks.apply import apply
from stacks.check import check, require
from stacks.remove import remove
from stacks.stack_file import ROOT, read_stack
from stacks.tracking import further_commands
from tests.stacks.test_stack_check import answering

LOCAL = """
components:
  orchestrator: {flavor: local}
  artifact_store: {flavor: local}
  experiment_tracker: {flavor: mlflow}
"""
MORE = """
secrets: {it-wandb: {api_key: "${IT_KEY:-}"}}
components:
  orchestrator: {flavor: local}
  artifact_store: {flavor: local}
  experiment_tracker:
    - {flavor: mlflow}
    - {flavor: sentiment_wandb, configuration: {api_key: "{{it-wandb.api_key}}", mode: "${IT_MODE:-offline}"}}
    - {flavor: sentiment_trackio, configuration: {project: "${IT_PROJECT:-sentiment}"}}
"""
WANDB, TRACKIO = "experiment_tracker sentiment_wandb", "experiment_tracker sentiment_trackio"


@pytest.fixture
def read(tmp_path):
    """Writes a stack file, and reads it."""

    def read(text, name="it"):
        (tmp_path / f"{name}.yaml").write_text(text)
        return read_stack(name, tmp_path)

    return read


def of_trackers(*trackers):
    return LOCAL.replace("{flavor: mlflow}", json.dumps(trackers))


def test_each_tracker_of_the_list_is_a_component(read):
    stack = read(MORE)
    assert list(stack.components) == ["orchestrator", "artifact_store", "experiment_tracker", WANDB, TRACKIO]
    assert stack.components["experiment_tracker"].flavor == "mlflow"
    assert stack.components[TRACKIO].configuration == {"project": "sentiment"}


@pytest.mark.parametrize(
    ("trackers", "words"),
    [
        ([], "must list one component or more, each flavor once"),
        ([{"flavor": "mlflow"}, {"flavor": "mlflow"}], "each flavor once"),
        (
            [{"flavor": "sentiment_trackio"}, {"flavor": "mlflow"}],
            "the first experiment tracker is sentiment_trackio. Name mlflow first",
        ),
        (
            [{"flavor": "mlflow"}, {"flavor": "wandb"}],
            "wandb cannot follow mlflow. Use sentiment_wandb or sentiment_trackio.",
        ),
        ([{"flavor": "mlflow"}, {"flavour": "x"}], "experiment_tracker"),
        ([{"flavor": "mlflow"}, "sentiment_wandb"], "experiment_tracker"),
    ],
)
def test_a_wrong_list_is_one_line(trackers, words, read):
    with pytest.raises(UserError) as caught:
        read(of_trackers(*trackers))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tracker_that_is_not_mlflow_is_refused_alone(read):
    with pytest.raises(UserError, match=r"the first experiment tracker is wandb\. Name mlflow first: the registry"):
        read(LOCAL.replace("mlflow", "wandb"))


def test_an_optional_secret_that_is_not_set_is_left_out(read, monkeypatch):
    stack = read(MORE)
    assert (stack.secrets, stack.components[WANDB].configuration) == ({}, {"mode": "offline"})
    monkeypatch.setenv("IT_KEY", "hunter2")
    stack = read(MORE)
    assert stack.secrets == {"it-wandb": {"api_key": "hunter2"}}
    assert stack.components[WANDB].configuration["api_key"] == "{{it-wandb.api_key}}"


def test_the_key_is_no_plain_text(read, monkeypatch):
    monkeypatch.setenv("IT_KEY", "hunter2")
    with pytest.raises(UserError, match="IT_KEY is a secret, and would be in plain text"):
        read(MORE.replace("project: ", "folder: '${IT_KEY:-}', project: "))


def test_a_component_is_shared_where_both_files_declare_the_same(read):
    read(LOCAL, "base")
    shares = MORE.replace(
        "artifact_store: {flavor: local}", "artifact_store: {flavor: local, configuration: {path: x}}"
    )
    assert read(f"shares: base\n{MORE}").owners == dict.fromkeys(
        ("orchestrator", "artifact_store", "experiment_tracker"), "base"
    )
    assert set(read(f"shares: base\n{shares}").owners) == {"orchestrator", "experiment_tracker"}
    with pytest.raises(UserError, match=r"it shares another stack\. Share a stack with components of its own"):
        read(f"shares: it\n{LOCAL}", "second")
    with pytest.raises(UserError, match="shares another stack"):
        read(f"shares: it\n{LOCAL}")


@pytest.mark.parametrize("name", ["local.wandb", "local.trackio"])
def test_the_projects_own_files_need_no_account_and_share_the_local_stack(name, monkeypatch):
    for variable in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_DIR", "TRACKIO_DIR"):
        monkeypatch.delenv(variable, raising=False)
    stack, local = read_stack(name, ROOT / "configs" / "stacks"), read_stack("local", ROOT / "configs" / "stacks")
    assert stack.secrets == {}
    assert stack.owners == dict.fromkeys(local.components, "local")
    assert len(stack.components) == len(local.components) + 1
    (command,) = further_commands(stack)
    assert name.removeprefix("local.") in command


def known(client, name):
    """The stack's components in ZenML, by type: name and flavor."""
    stack = client.get_stack(f"sentiment-{name}", allow_name_prefix_match=False)
    return {kind.value: [(c.name, c.flavor_name) for c in found] for kind, found in stack.components.items()}


@pytest.mark.slow
def test_zenml_has_mlflow_first_and_keeps_the_others(read, zenml, monkeypatch):
    from zenml.client import Client

    from stacks.activation import activated

    stack = read(MORE)
    first = apply(stack)
    assert first.changes[2:5] == (
        "experiment_tracker: created (mlflow)",
        "experiment_tracker: created (sentiment_wandb)",
        "experiment_tracker: created (sentiment_trackio)",
    )
    assert apply(stack).changes == ()
    client = Client()
    trackers = known(client, "it")["experiment_tracker"]
    assert trackers[0] == ("sentiment-it", "mlflow")
    assert set(trackers[1:]) == {
        ("sentiment-it+wandb", "sentiment_wandb"),
        ("sentiment-it+trackio", "sentiment_trackio"),
    }
    with activated(stack):
        active = Client().active_stack
        assert active.experiment_tracker.flavor == "mlflow"
        assert active.experiment_tracker.get_tracking_uri().startswith("sqlite")
    monkeypatch.setenv("IT_PROJECT", "other")
    assert apply(read(MORE)).changes == (f"{TRACKIO}: changed project",)

    assert set(apply(read(LOCAL)).changes) == {
        "stack: has another experiment_tracker",
        "experiment_tracker: removed (sentiment_wandb)",
        "experiment_tracker: removed (sentiment_trackio)",
    }
    assert known(client, "it")["experiment_tracker"] == [("sentiment-it", "mlflow")]


@pytest.mark.slow
def test_the_key_is_encrypted_and_goes_when_it_is_unset(read, zenml, monkeypatch):
    from zenml.client import Client

    from stacks.activation import activated

    monkeypatch.setenv("IT_KEY", "hunter2")
    assert "secret it-wandb: created (api_key)" in apply(read(MORE)).changes
    with activated(read(MORE)):
        wandb = Client().active_stack.experiment_trackers["sentiment-it+wandb"]
        assert wandb.config.api_key == "hunter2"
    monkeypatch.delenv("IT_KEY")
    assert set(apply(read(MORE)).changes) == {f"{WANDB}: reset api_key", "secret it-wandb: removed"}


@pytest.mark.slow
def test_a_shared_component_is_one_in_zenml_and_outlives_the_stack_that_shares_it(read, zenml):
    from zenml.client import Client

    base, more = read(LOCAL, "base"), read(f"shares: base\n{MORE}")
    apply(more)  # before the other one
    assert apply(base).changes == ("stack: created as sentiment-base",)
    client = Client()
    ours, theirs = (client.get_stack(f"sentiment-{name}", allow_name_prefix_match=False) for name in ("it", "base"))
    for kind, (component,) in theirs.components.items():
        assert ours.components[kind][0].id == component.id
    assert apply(more).changes == ()
    assert sorted(remove("it")) == [
        "experiment_tracker sentiment-it+trackio",
        "experiment_tracker sentiment-it+wandb",
        "stack sentiment-it",
    ]
    assert apply(base).changes == ()


def proofs_of(stack):
    return {proof.component: proof for proof in check(stack)}


def test_the_check_shows_each_tracker(read, monkeypatch):
    monkeypatch.setattr("stacks.probes.trackers.version", {"wandb": "0.31.0", "trackio": "0.43.0"}.__getitem__)
    proofs = proofs_of(read(MORE))
    assert proofs[WANDB].words == "wandb 0.31.0, files in ZenML's local store; no account is needed"
    assert proofs[TRACKIO].passed
    monkeypatch.setenv("IT_MODE", "online")
    proof = proofs_of(read(MORE))[WANDB]
    assert (proof.passed, proof.words) == (False, "online needs a key")
    assert proof.remedy == "Export WANDB_API_KEY, or WANDB_MODE=offline."
    require(read(MORE))  # a training runs: the copy fails, not the run


def test_a_missing_package_names_make_trackers(read, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("stacks.probes.trackers.version", version)
    monkeypatch.setattr("stacks.probes.machine.version", version)
    needs = "requirements: {packages: [wandb>=0.31], install: make trackers}\n"
    proofs = proofs_of(read(needs + MORE))
    assert (proofs[WANDB].words, proofs[WANDB].remedy) == ("the package wandb is missing", "Run make trackers.")
    with pytest.raises(UserError, match=r"requirements: the package wandb>=0\.31 is missing\. Run make trackers\."):
        require(read(needs + MORE))


@pytest.mark.parametrize(
    ("answer", "passed", "words"),
    [
        ((200, b'{"data": {"viewer": {"username": "me"}}}'), True, "accepts the key"),
        ((200, b'{"data": {"viewer": null}}'), False, "does not accept the key"),
        ((401, b"{}"), False, "does not accept the key"),
    ],
)
def test_the_check_asks_a_server_of_ones_own(answer, passed, words, read, monkeypatch):
    monkeypatch.setattr("stacks.probes.trackers.version", lambda name: "0.31.0")
    monkeypatch.setenv("IT_KEY", "hunter2")
    monkeypatch.setenv("IT_MODE", "online")
    assert proofs_of(read(MORE))[WANDB].passed is None  # W&B's own server: only a run shows
    with answering(*answer) as url:
        proof = proofs_of(read(MORE.replace("mode: ", f"base_url: '{url}', mode: ")))[WANDB]
    assert proof.passed is passed
    assert words in proof.words
    assert "hunter2" not in proof.words
