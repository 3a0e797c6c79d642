"""No secret is written to this machine's disk in plain text, nor printed."""

import base64
import sqlite3
import stat
from contextlib import closing

import pytest
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.zen_stores.secrets_stores.sql_secrets_store import SqlSecretsStoreConfiguration

from stacks.activation import activated
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
OLD = "Zp5kQ2fWmT8"  # a secret from before


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "clean.yaml").write_text(STACK)


def apply_clean(zenml):
    """What it says, when the components have got their secrets."""
    with activated(read_stack("clean", zenml.parent)) as applied:
        stack = Client().active_stack
        assert stack.artifact_store.get_credentials()[:2] == (VALUES["S3_KEY"], VALUES["S3_SECRET"])
        assert stack.experiment_tracker.config.tracking_password == VALUES["MLFLOW_WORD"]
    return applied.changes


def keep_old():
    Client().create_secret("before", {"word": OLD})
    Client().create_secret("deleted", {"word": OLD, "long": "x" * 10_000})
    database = Client().zen_store.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")  # as it is where Debian has not built it
        connection.execute("DELETE FROM secret WHERE name = 'deleted'")


def old():
    """As whoever uses ZenML without this project reads it."""
    _forget_connection()
    return Client().get_secret("before").secret_values["word"]


def log_out():
    """As ``zenml logout`` does it: its configuration forgets the key."""
    GlobalConfiguration().set_default_store()
    _forget_connection()


def traces(folder, said=""):
    """Where a secret can be read, plain or in base64."""
    found = []
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files
    for value in (*VALUES.values(), OLD):
        raw = value.encode()
        # in the middle of something that is encoded, the characters depend on where in a group of three it starts
        encoded = [base64.b64encode(b"\0" * shift + raw)[(shift * 8 + 5) // 6 :][: len(raw)] for shift in range(3)]
        found += [(value, path.name) for path, content in files.items() if any(p in content for p in (raw, *encoded))]
        found += [(value, "printed")] * (value in said)
    return found


def test_secrets_are_encrypted_those_from_before_too(zenml, capfd):
    keep_old()
    assert traces(zenml) == [(OLD, "zenml.db")]  # ZenML by itself keeps it in plain text
    changes = apply_clean(zenml)
    assert changes[-1] == "stack: created as sentiment-clean"
    for name in ("sentiment-secrets.key", "config.yaml"):
        assert stat.S_IMODE((zenml / name).stat().st_mode) == 0o600
    assert old() == OLD
    log_out()
    assert apply_clean(zenml) == ()  # it can be read, and there is nothing to change
    assert old() == OLD
    assert traces(zenml, "".join([*capfd.readouterr(), *changes])) == []


def test_a_lost_key_is_no_dead_end(zenml):
    apply_clean(zenml)
    (zenml / "sentiment-secrets.key").unlink()
    log_out()
    changes = apply_clean(zenml)
    assert [words.partition(" (")[0] for words in changes[:2]] == [
        "secret clean-s3: created", "secret clean-mlflow: created",
    ]  # fmt: skip
    assert traces(zenml) == []


def test_encryption_goes_on_where_it_was_cut_short(zenml, monkeypatch):
    keep_old()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(GlobalConfiguration, "set_store", interrupted)  # the database is encrypted, ZenML has no key yet
        apply_clean(zenml)
    _forget_connection()
    apply_clean(zenml)
    assert old() == OLD
    assert traces(zenml) == []


def interrupted(*arguments, **options):
    raise KeyboardInterrupt


def test_a_database_that_has_a_key_keeps_it(zenml):
    store = GlobalConfiguration().zen_store.config
    theirs = SqlSecretsStoreConfiguration(encryption_key="their own")
    GlobalConfiguration().set_store(store.model_copy(update={"secrets_store": theirs}))
    apply_clean(zenml)
    assert not (zenml / "sentiment-secrets.key").exists()
    assert GlobalConfiguration().zen_store.config.secrets_store.encryption_key.get_secret_value() == "their own"
    assert traces(zenml) == []
