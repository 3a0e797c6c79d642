"""No secret is written to this machine's disk in plain text, nor printed."""

import base64

import pytest
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.zen_stores.secrets_stores.sql_secrets_store import SqlSecretsStoreConfiguration

from sentiment.errors import UserError
from stacks.activation import activated
from stacks.secrets import KEY
from stacks.server import _forget_connection
from stacks.stack_file import read_stack

pytestmark = pytest.mark.slow

STACK = """
secrets:
  clean-s3: {aws_access_key_id: "${S3_KEY}", aws_secret_access_key: "${S3_SECRET}"}
  clean-mlflow: {username: "${MLFLOW_USER}", password: "${MLFLOW_WORD}"}
components:
  orchestrator: {flavor: local}
  artifact_store: {flavor: s3, configuration: {path: "s3://bucket/zenml", authentication_secret: clean-s3}}
  experiment_tracker:
    flavor: mlflow
    configuration:
      tracking_uri: http://127.0.0.1:9
      tracking_username: "{{clean-mlflow.username}}"
      tracking_password: "{{clean-mlflow.password}}"
"""
VALUES = {"S3_KEY": "AKvWq8rT2n", "S3_SECRET": "x7Gm4hLpZq", "MLFLOW_USER": "UkT5bRw9", "MLFLOW_WORD": "Jd3vNs6yHc"}


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "clean.yaml").write_text(STACK)


def apply_clean(zenml):
    """Activates the stack, and returns the printed text."""
    with activated(read_stack("clean", zenml.parent)) as applied:
        stack = Client().active_stack
        assert stack.artifact_store.get_credentials()[:2] == (VALUES["S3_KEY"], VALUES["S3_SECRET"])
        assert stack.experiment_tracker.config.tracking_password == VALUES["MLFLOW_WORD"]
    return applied.changes


def traces(folder, said=""):
    """The places where a secret can be read, plain or in base64."""
    found = []
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files
    for value in VALUES.values():
        raw = value.encode()
        # inside other encoded text, the characters depend on the offset within a group of three bytes
        encoded = [base64.b64encode(b"\0" * shift + raw)[(shift * 8 + 5) // 6 :][: len(raw)] for shift in range(3)]
        found += [(value, path.name) for path, content in files.items() if any(p in content for p in (raw, *encoded))]
        found += [(value, "printed")] * (value in said)
    return found


def test_secrets_are_encrypted(zenml, capfd):
    changes = apply_clean(zenml)
    assert changes[-1] == "stack: created as sentiment-clean"
    assert apply_clean(zenml) == ()  # they can be read, and there is nothing to change
    assert traces(zenml, "".join([*capfd.readouterr(), *changes])) == []


def test_a_database_without_a_key_gets_no_secrets(zenml, monkeypatch):
    monkeypatch.delenv(KEY)
    GlobalConfiguration().set_default_store()  # its configuration forgets the key
    _forget_connection()
    with pytest.raises(UserError, match=f"plain text.* Export {KEY}"):
        apply_clean(zenml)
    assert not Client().list_secrets(name="startswith:clean").items
    assert not Client().list_stacks(name="equals:sentiment-clean").items


def test_a_lost_key_is_no_dead_end(zenml, monkeypatch):
    apply_clean(zenml)
    monkeypatch.setenv(KEY, "a7" * 32)
    _forget_connection()
    changes = apply_clean(zenml)
    assert [words.partition(" (")[0] for words in changes[:2]] == [
        "secret clean-s3: created", "secret clean-mlflow: created",
    ]  # fmt: skip
    assert traces(zenml) == []


def test_a_database_that_has_a_key_keeps_it(zenml, monkeypatch):
    monkeypatch.delenv(KEY)
    store = GlobalConfiguration().zen_store.config
    theirs = SqlSecretsStoreConfiguration(encryption_key="their own")
    GlobalConfiguration().set_store(store.model_copy(update={"secrets_store": theirs}))
    apply_clean(zenml)
    assert GlobalConfiguration().zen_store.config.secrets_store.encryption_key.get_secret_value() == "their own"
    assert traces(zenml) == []
