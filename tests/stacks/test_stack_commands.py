"""``run.py stack``, with the project's own files."""

import json
import os
import subprocess
import sys

import pytest

from cli import app
from cli.commands.stack.show import MASK, mask_secrets
from stacks.stack_file import ROOT
from tests.helpers.loopback import free_ports

pytestmark = pytest.mark.slow

VALUES = {
    "SENTIMENT_S3_BUCKET": "reviews",
    "SENTIMENT_S3_ENDPOINT": "http://127.0.0.1:9",
    "SENTIMENT_S3_ACCESS_KEY": "AKvWq8rT2n",
    "SENTIMENT_S3_SECRET_KEY": "x7Gm4hLpZq",
    "SENTIMENT_MLFLOW_URI": "http://127.0.0.1:9",
    "SENTIMENT_MLFLOW_USERNAME": "UkT5bRw9",
    "SENTIMENT_MLFLOW_PASSWORD": "Jd3vNs6yHc",
}
SECRET = [value for name, value in VALUES.items() if name.endswith(("KEY", "NAME", "WORD"))]


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path, zenml):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("stacks.stack_file.ROOT", tmp_path)  # without make cloud-up before


@pytest.fixture
def variables(monkeypatch):
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def do(capfd):
    """Runs a command; returns its JSON, and the printed text."""

    def do(*arguments):
        assert app.main(["stack", *arguments, "--json"]) == app.OK, capfd.readouterr().err
        out, err = capfd.readouterr()
        return json.loads(out.splitlines()[-1]), " ".join(err.split())

    return do


def refused(capfd, *arguments):
    assert app.main(["stack", *arguments]) == app.BAD_INPUT
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_apply_use_and_remove(do, variables, capfd):
    do("apply", "local")
    summary, printed = do("apply", "cloud")
    assert summary["changed"]
    assert summary["changes"][-1] == "stack: created as sentiment-cloud"
    assert "artifact_store: created (s3)" in printed
    summary, printed = do("apply", "cloud")
    assert summary == {"stack": "cloud", "changed": False, "changes": []}
    assert printed == "sentiment-cloud: nothing to change"

    assert do("use", "cloud")[0] == {"stack": "cloud", "changed": True}
    assert do("use", "cloud")[0] == {"stack": "cloud", "changed": False}
    rows = {row["stack"]: row for row in do("list")[0]["stacks"]}
    assert (rows["cloud"]["active"], rows["local"]["active"]) == (True, False)
    assert rows["cloud"]["applied"]
    assert "stack cloud: is the active one. Make another one active first" in refused(capfd, "remove", "cloud")

    assert do("use", "local")[0]["changed"]
    summary, printed = do("remove", "cloud")
    assert {"stack sentiment-cloud", "secret sentiment-s3", "secret sentiment-mlflow"} <= set(summary["removed"])
    assert do("remove", "cloud") == (
        {"stack": "cloud", "removed": []},
        "ZenML does not know sentiment-cloud: nothing to remove",
    )
    assert not {row["stack"]: row for row in do("list")[0]["stacks"]}["cloud"]["applied"]


def test_nothing_shows_a_secret(do, variables):
    for command in (["apply", "cloud"], ["show", "cloud"], ["list"], ["apply", "cloud"]):
        summary, printed = do(*command)
        assert not [value for value in SECRET if value in json.dumps(summary) + printed]
    summary, printed = do("show", "cloud")
    store = summary["components"]["artifact_store"]
    assert (store["path"], store["authentication_secret"]) == ("s3://reviews/zenml", "sentiment-s3")
    assert store["client_kwargs"]["endpoint_url"] == "http://127.0.0.1:9"
    assert summary["components"]["experiment_tracker"]["tracking_password"] == "{{sentiment-mlflow.password}}"
    assert summary["secrets"]["sentiment-mlflow"] == ["username", "password"]
    assert (summary["unset"], summary["server"]) == ([], None)
    assert f"{MASK} ${{SENTIMENT_MLFLOW_PASSWORD}}" in printed


def test_an_unset_variable_is_named(do, capfd):
    rows = {row["stack"]: row for row in do("list")[0]["stacks"]}
    assert rows["local"]["unset"] == []
    assert "SENTIMENT_S3_BUCKET" in rows["cloud"]["unset"]
    summary, printed = do("show", "cloud")
    assert summary["components"]["artifact_store"]["path"] == "s3://${SENTIMENT_S3_BUCKET}/zenml"
    assert "${SENTIMENT_MLFLOW_PASSWORD}, not set" in printed
    for command in ("apply", "use", "check"):
        err = refused(capfd, command, "cloud")
        assert "configs/stacks/cloud.yaml: the variables SENTIMENT_S3_BUCKET" in err
        assert "Run make cloud-up, or export SENTIMENT_S3_BUCKET" in err


def test_unknown_stacks(capfd):
    for command in ("apply", "show", "use", "check", "remove"):
        assert "there is no stack 'cluod'. Did you mean cloud?" in refused(capfd, command, "cluod")
    assert app.main(["--stack", "cluod", "versions"]) == app.BAD_INPUT
    assert "there is no stack 'cluod'. Did you mean cloud?" in capfd.readouterr().err


def test_a_stack_on_a_server_cannot_be_the_active_one_here(capfd, variables, monkeypatch):
    monkeypatch.setenv("SENTIMENT_ZENML_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("SENTIMENT_ZENML_API_KEY", "hunter2")
    err = refused(capfd, "use", "cloud")
    assert "stack cloud: is on the ZenML server http://127.0.0.1:9. Run zenml login http://127.0.0.1:9 first" in err
    assert "ZenML at http://127.0.0.1:9 cannot be reached" in refused(capfd, "remove", "cloud")


@pytest.mark.parametrize("pipeline", ["train", "deploy"])
def test_a_run_ends_before_it_begins_if_a_server_is_not_there(pipeline, capfd, variables, monkeypatch):
    dead = f"http://127.0.0.1:{free_ports(1)[0]}"
    for name in ("SENTIMENT_S3_ENDPOINT", "SENTIMENT_MLFLOW_URI"):
        monkeypatch.setenv(name, dead)
    monkeypatch.setattr("cli.session.activated", None)  # nothing is registered, and ZenML is not called
    assert app.main(["--stack", "cloud", "--pipeline", pipeline]) == app.BAD_INPUT
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"error: stack cloud, artifact_store: {dead} cannot be reached (1 more: python run.py stack check clo" in err


def test_masks():
    open_to_all = {
        "tracking_token": "{{a.b}}", "authentication_secret": "name", "tokens_file": "/tokens", "tls_key": "/key.pem",
        "http_port": 3000,
    }  # fmt: skip
    secret = {"secret": "hunter2", "aws": {"aws_secret_access_key": "hunter2"}, "tracking_password": "hunter2"}
    secret["list"] = [{"token": "hunter2"}, [{"password": "hunter2"}], {"name": "HF_TOKEN", "value": "hunter2"}]
    secret["tokens"] = ["hunter2"]
    open_to_all["env"] = [{"name": "HF_HOME", "value": "/hub"}]
    shown = mask_secrets({**open_to_all, **secret, "url": "https://me:hunter2@host/path"})
    assert "hunter2" not in str(shown)
    assert shown["url"] == f"https://{MASK}@host/path"
    assert open_to_all.items() <= shown.items()


def test_a_failed_check_is_a_failed_command(monkeypatch, capfd):
    monkeypatch.setenv("ZENML_LOCAL_STORES_PATH", "/proc/none")
    assert app.main(["stack", "check", "local"]) == app.FAILED
    assert "/proc/none: No such file or directory. Make room" in " ".join(capfd.readouterr().out.split())


def test_the_last_stack_stays(tmp_path):
    def do(*arguments):
        environment = {**os.environ, "ZENML_CONFIG_PATH": str(tmp_path / "zenml")}
        command = [sys.executable, "run.py", "stack", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert do("apply", "local").stdout.splitlines()[-1] == "sentiment-local: applied"
    removed = do("remove", "local")
    assert (removed.returncode, removed.stdout) == (app.BAD_INPUT, "")
    assert removed.stderr.startswith("error: stack local: is the last one of this project. Apply another one first")
