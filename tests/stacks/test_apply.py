"""Applying stack files to a real ZenML; each test has its own stack name."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from uuid import uuid4

import pytest

from sentiment.deployment import Bento, Deployment
from sentiment.errors import UserError
from serving.record import write_live
from stacks.apply import apply
from stacks.remove import remove
from stacks.stack_file import ROOT, read_stack
from tests.helpers import sagemaker

pytestmark = pytest.mark.slow

LOCAL = """
components:
  orchestrator: {flavor: local}
  artifact_store: {flavor: local}
  experiment_tracker: {flavor: mlflow}
"""
REMOTE = """
secrets:
  %(name)s-s3: {aws_access_key_id: "${S3_KEY}", aws_secret_access_key: "${S3_SECRET}"}
  %(name)s-mlflow: {username: "${MLFLOW_USER}", password: "${MLFLOW_WORD}"}
components:
  orchestrator: {flavor: local}
  artifact_store:
    flavor: s3
    configuration: {path: "s3://${BUCKET:-bucket}/zenml", authentication_secret: %(name)s-s3}
  experiment_tracker:
    flavor: mlflow
    configuration:
      tracking_uri: http://127.0.0.1:9
      tracking_username: "{{%(name)s-mlflow.username}}"
      tracking_password: "{{%(name)s-mlflow.password}}"
"""
VALUES = {"S3_KEY": "key-1", "S3_SECRET": "secret-1", "MLFLOW_USER": "user-1", "MLFLOW_WORD": "word-1"}
CONCURRENTLY = """
import sys, time
from pathlib import Path
from zenml.client import Client
from stacks.apply import apply
from stacks.stack_file import read_stack
stack = read_stack("both", Path(sys.argv[1]))
Client().zen_store
time.sleep(max(0, float(sys.argv[2]) - time.time()))
print(apply(stack).id)
"""


@pytest.fixture
def declare(tmp_path, monkeypatch):
    """Writes a stack file, and reads it."""
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)

    def declare(name, text):
        (tmp_path / f"{name}.yaml").write_text(text)
        return read_stack(name, tmp_path)

    return declare


@pytest.fixture
def client():
    from zenml.client import Client

    return Client()


def known(client, name):
    """All that ZenML stores about a stack."""
    stacks = client.list_stacks(name=f"equals:sentiment-{name}", hydrate=True).items
    components = client.list_stack_components(name=f"startswith:sentiment-{name}", size=100, hydrate=True).items
    secrets = client.list_secrets(name=f"startswith:{name}-", size=100).items
    return {
        "stacks": [(s.id, s.labels or {}, {k: [c.id for c in v] for k, v in s.components.items()}) for s in stacks],
        "components": {c.id: (c.type, c.name, c.flavor_name, c.configuration) for c in components},
        "secrets": {s.name: client.zen_store.get_secret(s.id).secret_values for s in secrets},
    }


def component(client, name, kind):
    return client.get_stack_component(kind, f"sentiment-{name}", allow_name_prefix_match=False)


@contextmanager
def failing(client, *statements):
    """A database that fails at some statements, as on a full disk."""
    database = client.zen_store.url.removeprefix("sqlite:///")

    def do(*commands):
        with closing(sqlite3.connect(database)) as connection, connection:
            for command in commands:
                connection.execute(command)

    fails = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    do(*(f"CREATE TRIGGER broken{i} BEFORE {statement} {fails}" for i, statement in enumerate(statements)))
    try:
        yield
    finally:
        do(*(f"DROP TRIGGER broken{i}" for i in range(len(statements))))


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ("{flavor: loca}", "loca"),
        ("{flavor: local, configuration: {pth: x}}", "pth"),
        ("{flavor: s3, configuration: {path: /folder}}", "path"),
        ("{flavor: s3, configuration: {path: 's3://b', secret: hunter2}}", "secret is a secret in plain text"),
        ("{flavor: s3, configuration: {path: 's3://b', secret: '${S3_SECRET}'}}", "secret is a secret in plain text"),
        ("{flavor: s3, configuration: {path: 's3://b', secret: '{{nowhere.key}}'}}", "there is no secret nowhere"),
        ("{flavor: s3, configuration: {path: 's3://b', authentication_secret: lost}}", "there is no secret lost"),
    ],
)
def test_a_wrong_component_is_one_line_and_changes_nothing(component, words, declare, client):
    text = "components: {orchestrator: {flavor: local}, artifact_store: %s}\nsecrets: {wrong-s3: {k: '${S3_KEY}'}}"
    before = known(client, "wrong")
    with pytest.raises(UserError) as caught:
        apply(declare("wrong", text % component))
    assert words in str(caught.value)
    assert "wrong.yaml, artifact_store: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ".." not in str(caught.value)
    assert not {"hunter2", "secret-1"} & set(str(caught.value).split())
    assert known(client, "wrong") == before == {"stacks": [], "components": {}, "secrets": {}}


def test_reports_its_changes_once_and_keeps_the_active_stack(declare, client):
    active = client.active_stack_model.name
    stack = declare("twice", REMOTE % {"name": "twice"})
    first = apply(stack)
    assert first.changes == (
        "secret twice-s3: created (aws_access_key_id, aws_secret_access_key)",
        "secret twice-mlflow: created (username, password)",
        "orchestrator: created (local)",
        "artifact_store: created (s3)",
        "experiment_tracker: created (mlflow)",
        "stack: created as sentiment-twice",
    )
    assert known(client, "twice")["secrets"]["twice-mlflow"] == {"username": "user-1", "password": "word-1"}
    state = known(client, "twice")
    second = apply(stack)
    assert (second.id, second.name, second.changes) == (first.id, "sentiment-twice", ())
    assert known(client, "twice") == state
    assert client.active_stack_model.name == active


def test_a_changed_file_changes_what_it_must(declare, client):
    first = apply(declare("grows", LOCAL.replace("experiment_tracker", "# experiment_tracker")))
    assert apply(declare("grows", LOCAL)).changes == (
        "experiment_tracker: created (mlflow)",
        "stack: has another experiment_tracker",
    )
    tracker = component(client, "grows", "experiment_tracker")
    settings = "flavor: mlflow, configuration: {tracking_uri: 'sqlite:////tmp/mlflow.db', nested: true}"
    assert apply(declare("grows", LOCAL.replace("flavor: mlflow", settings))).changes == (
        "experiment_tracker: changed nested, tracking_uri",
    )
    assert component(client, "grows", "experiment_tracker").configuration == {
        "tracking_uri": "sqlite:////tmp/mlflow.db",
        "nested": True,
    }
    # a value that was removed from the file is back at its default
    settings = "flavor: mlflow, configuration: {nested: 'yes'}"
    assert apply(declare("grows", LOCAL.replace("flavor: mlflow", settings))).changes == (
        "experiment_tracker: reset tracking_uri",
    )
    changed = component(client, "grows", "experiment_tracker")
    assert (changed.id, changed.configuration) == (tracker.id, {"nested": True})
    assert apply(declare("grows", LOCAL.replace("flavor: mlflow", settings))).changes == ()

    last = apply(declare("grows", LOCAL.replace("experiment_tracker", "# experiment_tracker")))
    assert last.changes == ("stack: has another experiment_tracker", "experiment_tracker: removed (mlflow)")
    assert last.id == first.id
    assert {c[0].value for c in known(client, "grows")["components"].values()} == {"orchestrator", "artifact_store"}


def test_the_next_run_sees_the_change(declare, client, monkeypatch):
    """ZenML keeps stacks in memory."""
    from stacks.activation import activated

    monkeypatch.delenv("ZENML_ACTIVE_STACK_ID", raising=False)
    seen = []
    for nested in ("false", "true"):
        text = LOCAL.replace("flavor: mlflow", f"flavor: mlflow, configuration: {{nested: {nested}}}")
        with activated(declare("seen", text)):
            from zenml.client import Client

            seen.append(Client().active_stack.experiment_tracker.config.nested)
    assert seen == [False, True]


def test_another_flavor_replaces_the_component(declare, client):
    first = apply(declare("other", LOCAL))
    before = component(client, "other", "orchestrator")
    changed = apply(
        declare("other", LOCAL.replace("orchestrator: {flavor: local}", "orchestrator: {flavor: local_docker}"))
    )
    assert changed.id == first.id
    assert "orchestrator: created (local_docker)" in changed.changes
    assert "orchestrator: removed (local)" in changed.changes
    after = component(client, "other", "orchestrator")
    assert (after.flavor_name, after.id != before.id) == ("local_docker", True)
    assert len(known(client, "other")["components"]) == 3


def test_artifacts_stay_where_they_were_written(declare, client, monkeypatch):
    text = REMOTE % {"name": "moves"}
    apply(declare("moves", text))
    first = component(client, "moves", "artifact_store")
    monkeypatch.setenv("BUCKET", "other")
    apply(declare("moves", text))
    second = component(client, "moves", "artifact_store")
    assert second.configuration["path"] == "s3://other/zenml"
    kept = client.get_stack_component("artifact_store", first.id)
    assert kept.configuration["path"] == "s3://bucket/zenml"
    monkeypatch.setenv("BUCKET", "bucket")
    apply(declare("moves", text))
    assert component(client, "moves", "artifact_store").id == first.id
    assert client.get_stack_component("artifact_store", second.id).configuration["path"] == "s3://other/zenml"
    assert apply(declare("moves", text)).changes == ()


def test_secrets_follow_the_environment_and_the_file(declare, client, monkeypatch):
    text = REMOTE % {"name": "keys"}
    apply(declare("keys", text))
    monkeypatch.setenv("S3_SECRET", "secret-2")
    assert apply(declare("keys", text)).changes == ("secret keys-s3: changed aws_secret_access_key",)
    assert known(client, "keys")["secrets"]["keys-s3"] == {
        "aws_access_key_id": "key-1",
        "aws_secret_access_key": "secret-2",
    }
    monkeypatch.setenv("TOKEN", "token-1")
    more = text.replace("aws_access_key_id:", 'aws_session_token: "${TOKEN:-}", aws_access_key_id:')
    assert apply(declare("keys", more)).changes == ("secret keys-s3: changed aws_session_token",)
    monkeypatch.delenv("TOKEN")
    assert apply(declare("keys", more)).changes == ("secret keys-s3: changed aws_session_token",)
    assert "aws_session_token" not in known(client, "keys")["secrets"]["keys-s3"]

    shared = "secrets: {keys-s3: {aws_access_key_id: '${S3_KEY}', aws_secret_access_key: '${S3_SECRET}'}}"
    apply(declare("neighbour", f"{shared}\n{LOCAL}"))
    assert apply(declare("keys", LOCAL)).changes[-1] == "secret keys-mlflow: removed"
    assert set(known(client, "keys")["secrets"]) == {"keys-s3"}  # another stack needs it
    apply(declare("neighbour", LOCAL))
    assert known(client, "keys")["secrets"] == {}


def test_another_users_secret_is_not_overwritten(declare, client):
    client.create_secret("theirs-s3", {"aws_access_key_id": "their-own"})
    before = known(client, "theirs")
    with pytest.raises(UserError, match=r"ZenML has another secret theirs-s3 already\. Give this one another name"):
        apply(declare("theirs", REMOTE % {"name": "theirs"}))
    assert known(client, "theirs") == before


STATEMENTS = [
    "INSERT ON stack",
    "INSERT ON stack_component WHEN NEW.type = 'experiment_tracker'",
    "UPDATE OF \"values\" ON secret WHEN NEW.name LIKE '%-mlflow'",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_next_call_ends_what_a_failure_cut_short(statement, declare, client):
    name = f"new{STATEMENTS.index(statement)}"
    stack = declare(name, REMOTE % {"name": name})
    with failing(client, statement), pytest.raises(Exception, match="database or disk is full"):
        apply(stack)
    assert known(client, name)["stacks"] == []
    assert apply(stack).changes[-1] == f"stack: created as sentiment-{name}"
    state = known(client, name)
    assert (len(state["components"]), len(state["secrets"])) == (3, 2)
    assert apply(stack).changes == ()


def test_a_flavor_whose_class_has_moved_is_pointed_at_it(declare, zenml):
    from zenml.client import Client
    from zenml.models import FlavorUpdate

    stack = declare("moved", LOCAL + "  model_deployer: {flavor: sentiment_bento}\n")
    apply(stack)
    flavor = Client().get_flavor("sentiment_bento")
    Client().zen_store.update_flavor(flavor.id, FlavorUpdate(source="stacks.bento_flavor.BentoDeployerFlavor"))
    apply(stack)  # an older version had registered that class
    assert Client().get_flavor("sentiment_bento").source == "serving.flavor.BentoDeployerFlavor"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ON stack",
        "UPDATE ON stack_component WHEN NEW.type = 'experiment_tracker' AND NEW.configuration != OLD.configuration",
    ],
)
def test_a_failure_midway_leaves_a_stack_that_works(statement, declare, client, monkeypatch):
    name = f"old{len(statement)}"
    text = REMOTE % {"name": name}
    apply(declare(name, text))
    before = known(client, name)["stacks"]
    monkeypatch.setenv("S3_SECRET", "secret-2")
    monkeypatch.setenv("BUCKET", "other")
    changed = text.replace("http://127.0.0.1:9", "http://127.0.0.1:99").replace(
        "orchestrator: {flavor: local}", "orchestrator: {flavor: local_docker}"
    )
    stack = declare(name, f"{changed}  model_deployer: {{flavor: sentiment_bento}}\n")
    with failing(client, statement), pytest.raises(Exception, match="database or disk is full"):
        apply(stack)
    state = known(client, name)
    assert state["stacks"] == before
    assert {i for ids in before[0][2].values() for i in ids} <= set(state["components"])
    assert apply(stack).changes
    after = known(client, name)
    kinds = {c.type for c in client.get_stack(f"sentiment-{name}").components.values() for c in c}
    assert {kind.value for kind in kinds} == {"orchestrator", "artifact_store", "experiment_tracker", "model_deployer"}
    assert after["components"][after["stacks"][0][2]["artifact_store"][0]][3]["path"] == "s3://other/zenml"
    assert apply(stack).changes == ()


def test_two_at_once_make_one_stack(declare, client, tmp_path):
    declare("both", REMOTE % {"name": "both"})
    assert client.zen_store.engine  # the database exists: ZenML itself cannot create it twice at once
    command = [sys.executable, "-c", CONCURRENTLY, str(tmp_path), str(time.time() + 12)]
    callers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    made = {caller.communicate()[0].split()[-1] for caller in callers}
    assert [caller.returncode for caller in callers] == [0, 0]
    state = known(client, "both")
    assert made == {str(stack[0]) for stack in state["stacks"]}
    assert (len(state["components"]), len(state["secrets"])) == (3, 2)


def test_removing_keeps_artifacts_and_shared_components(declare, client):
    text = REMOTE % {"name": "gone"}
    apply(declare("stays", LOCAL))
    apply(declare("gone", text))
    removed = remove("gone")
    assert removed[:3] == ["secret gone-mlflow", "secret gone-s3", "stack sentiment-gone"]
    assert known(client, "gone") == {"stacks": [], "components": {}, "secrets": {}}
    assert remove("gone") == []

    apply(declare("gone", LOCAL))
    store = component(client, "gone", "artifact_store")
    uri = f"{client.zen_store.url.removeprefix('sqlite:///')}-none"
    from zenml.client import Client
    from zenml.enums import ArtifactType
    from zenml.models import ArtifactVersionRequest

    Client().zen_store.create_artifact_version(
        ArtifactVersionRequest(
            artifact_name="kept", version="1", type=ArtifactType.DATA, uri=uri, artifact_store_id=store.id,
            materializer="m.M", data_type="d.D", project=Client().active_project.id, save_type="manual",
        )
    )  # fmt: skip
    assert "artifact_store sentiment-gone" not in remove("gone")
    assert known(client, "gone")["stacks"] == []
    apply(declare("gone", LOCAL))
    assert component(client, "gone", "artifact_store").id == store.id


def test_a_stack_in_use_is_not_removed(declare, client, monkeypatch):
    applied = apply(declare("needed", LOCAL + "  model_deployer: {flavor: sentiment_bento}\n"))
    state = known(client, "needed")
    with monkeypatch.context() as patch:
        patch.setenv("ZENML_ACTIVE_STACK_ID", str(applied.id))
        with pytest.raises(UserError, match=r"stack needed: is the active one\. .*stack use"):
            remove("needed")
        root = client.active_stack.model_deployer.root
    root.mkdir(parents=True)
    bento = Bento(tag="m:1", model="m", version="1", labels={})
    service = str(uuid4())
    write_live(root, Deployment(bento=bento, http="h", grpc="g", since="now", front=False, run="r", service=service))
    with pytest.raises(UserError, match=r"serves a model\. .*--stack needed stop"):
        remove("needed")
    assert known(client, "needed") == state
    write_live(root, None)
    assert remove("needed")


def test_a_stack_whose_endpoint_is_live_is_not_removed(declare, client, monkeypatch):
    from serving.sagemaker.deployer import SageMakerDeployer

    settings = {"region": sagemaker.REGION, "role": sagemaker.ROLE, "repository": sagemaker.REPOSITORY}
    deployer = {"flavor": "sentiment_sagemaker", "configuration": settings}
    apply(declare("beside-endpoint", LOCAL))  # the last stack is not removed either
    apply(declare("endpoint", LOCAL + f"  model_deployer: {json.dumps(deployer)}\n"))
    monkeypatch.setattr(SageMakerDeployer, "live", lambda _: "a deployment")
    with pytest.raises(UserError, match=r"serves a model\. .*--stack endpoint stop"):
        remove("endpoint")
    monkeypatch.setattr(SageMakerDeployer, "live", lambda _: None)
    assert remove("endpoint")
