"""A stack on a ZenML server: this process works there, and leaves no trace on this machine."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentiment.errors import UserError
from stacks.activation import activated
from stacks.secrets import KEY
from stacks.stack_file import ROOT, read_stack
from tests.helpers.loopback import free_ports
from tests.helpers.own_zenml import copied_zenml, own_zenml

pytestmark = pytest.mark.slow


def configuration():
    """Contents of all files of the user's own ZenML except the database, which other processes write."""
    folder = Path(os.environ["ZENML_CONFIG_PATH"])
    return {path: path.read_bytes() for path in folder.rglob("*.yaml")}


def test_works_on_the_server_and_leaves_no_trace(cloud_stack, cloud, tmp_path, monkeypatch):
    from zenml.client import Client
    from zenml.config.global_config import GlobalConfiguration

    own = Client().zen_store.url
    before, environment = configuration(), dict(os.environ)
    stores = GlobalConfiguration().local_stores_path
    with activated(cloud_stack()) as applied:
        client = Client()
        assert client.zen_store.url == cloud.environment["SENTIMENT_ZENML_URL"]
        assert client.active_stack_model.id == applied.id
        assert applied.changes[-1] == f"stack: created as {applied.name}"
        assert GlobalConfiguration().local_stores_path == stores
        assert client.get_secret("sentiment-s3").secret_values["aws_access_key_id"]
        os.environ["MLFLOW_TRACKING_PASSWORD"] = "as ZenML's MLflow sets it"
    with activated(cloud_stack()) as applied:
        assert applied.changes == ()
        with pytest.raises(KeyError):
            Client().get_stack("sentiment-local")
    assert Client().zen_store.url == own
    assert not Client().list_stacks(name=applied.name).items
    assert dict(os.environ) == environment
    assert configuration() == before
    secrets = [v.encode() for k, v in cloud.environment.items() if k.endswith(("KEY", "PASSWORD"))]
    files = [path for path in Path(os.environ["ZENML_CONFIG_PATH"]).rglob("*") if path.is_file()]
    assert not [path for path in files if any(secret in path.read_bytes() for secret in secrets)]


def test_one_process_logs_in_once_and_proves_the_key_whenever_asked(cloud_stack, monkeypatch):
    from stacks.probes import zenml_server

    asked, ask = [], zenml_server.ask
    monkeypatch.setattr(zenml_server, "ask", lambda *given: (asked.append(given[2].url.path), ask(*given))[1])
    monkeypatch.setattr(zenml_server, "_handed_out", {})
    stack = cloud_stack()
    for _ in range(2):
        with activated(stack):
            pass
    assert asked == ["/api/v1/info", "/api/v1/login", "/api/v1/info"]
    zenml_server.prove_server(stack.server)
    assert asked[3:] == ["/api/v1/info", "/api/v1/login"]


def test_a_repository_of_zenml_is_left_alone(cloud_stack, tmp_path, monkeypatch):
    """ZenML would write the server's active stack into it."""
    from zenml.client import Client
    from zenml.constants import REPOSITORY_DIRECTORY_NAME

    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Client.initialize(folder)
    Client._reset_instance()
    assert Client().root == folder
    file = folder / REPOSITORY_DIRECTORY_NAME / "config.yaml"
    before = file.read_bytes()
    with activated(cloud_stack()):
        assert Client().root is None
    assert Client().root == folder
    assert file.read_bytes() == before
    monkeypatch.chdir(ROOT)
    Client._reset_instance()


def test_a_refused_login_is_reported_at_once(cloud_stack):
    from zenml.client import Client

    own, environment, before = Client().zen_store.url, dict(os.environ), configuration()
    unused = f"http://127.0.0.1:{free_ports(1)[0]}"
    started = time.monotonic()
    for change, words in {
        ("${SENTIMENT_ZENML_URL:-}", unused): f"ZenML at {unused} cannot be reached",
        ("${SENTIMENT_ZENML_API_KEY:-}", "${PATH}"): "refuses the API key",
        ("${SENTIMENT_ZENML_API_KEY:-}", "${NOT_SET:-}"): "there is no API key for it, and no user is logged in",
    }.items():
        with pytest.raises(UserError, match=words), activated(cloud_stack(change)):
            pass
    assert time.monotonic() - started < 10
    assert Client().zen_store.url == own
    assert dict(os.environ) == environment
    assert configuration() == before


def test_logged_in_to_the_local_dashboard(fresh, tmp_path, monkeypatch):
    """Its server stores secrets in the same database: encrypted, or not at all."""
    from zenml.client import Client

    components = "components: {orchestrator: {flavor: local}, artifact_store: {flavor: local}}"
    (tmp_path / "it.yaml").write_text(f"secrets: {{it-s3: {{k: '${{VALUE}}'}}}}\n{components}\n")
    port = str(free_ports(1)[0])
    monkeypatch.setenv("VALUE", "hunter2")
    monkeypatch.setenv("DASHBOARD_PORT", port)
    address, zenml = f"http://127.0.0.1:{port}", Path(sys.executable).with_name("zenml")
    folder = copied_zenml(fresh, tmp_path / "zenml")

    def do(*command, without=None):
        environment = {name: value for name, value in os.environ.items() if name != without}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
        return done.stdout + done.stderr

    def apply_it():
        with own_zenml(folder), activated(read_stack("it", tmp_path)) as applied:
            return Client().zen_store.url, Client().get_secret("it-s3").secret_values["k"], applied.changes

    with monkeypatch.context() as patch:
        patch.setenv("ZENML_CONFIG_PATH", str(folder))
        try:
            do(zenml, "login", "--local", "--ip-address", "127.0.0.1", "--port", port, without=KEY)
            with pytest.raises(UserError, match=f"plain text.* Export {KEY}.* zenml logout --local and make dashboard"):
                apply_it()
            do(zenml, "logout", "--local")
            assert apply_it()[2]
            assert f"Dashboard: {address}" in do(sys.executable, "-m", "stacks.dashboard")
            assert apply_it() == (address, "hunter2", ())  # there, readable, and nothing to change
            assert not [path for path in folder.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
        finally:
            do(zenml, "logout", "--local")
