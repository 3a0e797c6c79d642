"""make cloud-up and cloud-down with the real servers: no data is lost, no process stays, and no secret shows."""

import base64
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import uuid
from contextlib import closing, contextmanager

import httpx
import psutil
import pytest

from sentiment.errors import UserError
from stacks import processes
from stacks.cloud import logs
from stacks.cloud import postgresql as database
from stacks.cloud.__main__ import main
from stacks.cloud.cloud import Cloud
from stacks.cloud.keys import Keys
from stacks.cloud.mlflow import MLflow
from stacks.cloud.server import COMPLETE, LOG, MARK
from tests.helpers.loopback import until

SERVERS = ["s3", "zenml", "postgresql", "mlflow"]
pytestmark = pytest.mark.slow
needs_postgresql = pytest.mark.skipif(
    database.program("postgres") is None, reason="PostgreSQL is not installed (Debian's package)"
)


@pytest.fixture
def running(cloud):
    """All servers; those that a test stops run again for the next one."""
    yield cloud
    cloud.up()


@pytest.fixture
def mlflow(cloud):
    with httpx.Client(
        base_url=f"{cloud.environment['SENTIMENT_MLFLOW_URI']}/api/2.0",
        auth=("admin", cloud.environment["SENTIMENT_MLFLOW_PASSWORD"]),
        trust_env=False,
    ) as client:
        yield client


def everything_of(folder):
    """Every process that belongs to servers in a folder."""
    found = {process.pid for process, _ in processes.find_by_variable(MARK, below=folder)}
    found |= {process.pid for process in processes.find_in_folder(folder / "postgresql" / "data", "postgres")}
    return found


def first_processes(cloud):
    return {server.name: server.process().pid for server in Cloud(cloud.folder).servers()}


def save(cloud, mlflow):
    """Stores an object on each server; returns the names."""
    name = f"kept-{uuid.uuid4().hex}"
    cloud.bucket().put_object(Bucket="sentiment", Key=name, Body=b"kept")
    mlflow.post("/mlflow/experiments/create", json={"name": name}).raise_for_status()
    mlflow.put(f"/mlflow-artifacts/artifacts/{name}", content=b"kept").raise_for_status()
    with zenml(cloud) as client:
        client.post("/secrets", json={"name": name, "values": {"word": "kept"}}).raise_for_status()
    return name


def saved(cloud, name):
    """Whether each server still has its object."""
    env = cloud.environment
    auth = ("admin", env["SENTIMENT_MLFLOW_PASSWORD"])
    with httpx.Client(base_url=f"{env['SENTIMENT_MLFLOW_URI']}/api/2.0", auth=auth, trust_env=False) as client:
        experiment = client.get("/mlflow/experiments/get-by-name", params={"experiment_name": name})
        artifact = client.get(f"/mlflow-artifacts/artifacts/{name}")
    with zenml(cloud) as client:
        secrets = client.get("/secrets", params={"name": name}).json()
    return {
        "s3": cloud.bucket().get_object(Bucket="sentiment", Key=name)["Body"].read() == b"kept",
        "postgresql": experiment.status_code == 200,
        "mlflow": artifact.content == b"kept",
        "zenml": len(secrets["items"]) == 1,
    }


@contextmanager
def zenml(cloud):
    """A client with the service account's key."""
    env = cloud.environment
    with httpx.Client(base_url=f"{env['SENTIMENT_ZENML_URL']}/api/v1", trust_env=False, timeout=30) as client:
        form = {"grant_type": "zenml-api-key", "password": env["SENTIMENT_ZENML_API_KEY"]}
        token = client.post("/login", data=form).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def test_a_second_up_changes_nothing(running, capsys):
    before = first_processes(running), running.env_file.read_bytes()
    assert main(["up", "--folder", str(running.folder)]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert (first_processes(running), running.env_file.read_bytes()) == before


def test_requests_without_keys_are_refused(running):
    from botocore.exceptions import ClientError

    env = running.environment
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger = running.bucket()
        stranger._request_signer._credentials.secret_key = "guessed"
        stranger.list_buckets()
    assert httpx.get(env["SENTIMENT_S3_ENDPOINT"], trust_env=False).status_code in (400, 403)
    experiments = f"{env['SENTIMENT_MLFLOW_URI']}/api/2.0/mlflow/experiments/search?max_results=1"
    for auth in (None, ("admin", "password1234"), ("admin", "")):
        assert httpx.get(experiments, auth=auth, trust_env=False).status_code == 401
    zenml_api = f"{env['SENTIMENT_ZENML_URL']}/api/v1"
    assert httpx.get(f"{zenml_api}/stacks", trust_env=False).status_code == 401
    login = {"username": "default", "password": ""}
    assert httpx.post(f"{zenml_api}/login", data=login, trust_env=False).status_code == 401
    activate = {"admin_username": "me", "admin_password": "mine"}
    assert httpx.put(f"{zenml_api}/activate", json=activate, trust_env=False).status_code >= 400


def test_no_secret_shows(running, mlflow):
    name = save(running, mlflow)
    assert saved(running, name)
    assert {stat.S_IMODE((running.folder / f).stat().st_mode) for f in ("env", "keys.json")} == {0o600}
    values = json.loads((running.folder / "keys.json").read_text())
    secrets = [value for key, value in values.items() if key not in ("database", "ports")]
    assert len(set(secrets)) == 9
    for pid in everything_of(running.folder):
        assert not [s for s in secrets if any(s in part for part in psutil.Process(pid).cmdline())]
    for log in running.folder.glob(f"*/{LOG}*"):
        assert not [s for s in secrets if s in log.read_text()], log
    with closing(sqlite3.connect(f"file:{running.folder}/zenml/data/zenml.db?mode=ro", uri=True)) as database:
        ((stored,),) = database.execute('SELECT "values" FROM secret WHERE name = ?', (name,)).fetchall()
    assert b"kept" not in base64.b64decode(stored)  # as ZenML stores it without a key
    assert not [s for s in secrets if s in repr(Keys.read(running.folder / "keys.json"))]


@needs_postgresql
def test_a_killed_server_is_restarted_and_the_others_keep_running(running, mlflow):
    name, before = save(running, mlflow), first_processes(running)
    for server in ("s3", "postgresql", "mlflow"):  # the processes that they started outlive them for a while
        os.kill(before[server], signal.SIGKILL)
    started = []
    callers = [threading.Thread(target=lambda: started.extend(running.up())) for _ in range(2)]  # both at once
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(started) == ["mlflow", "postgresql", "s3"]
    after = first_processes(running)
    assert {server for server in after if after[server] != before[server]} == set(started)
    assert all(saved(running, name).values())
    for pid in everything_of(running.folder):  # no process of the killed servers is left
        parents = {pid, *(parent.pid for parent in psutil.Process(pid).parents())}
        assert parents & {*after.values()}


@needs_postgresql
def test_down_leaves_nothing_running_and_up_serves_the_old_data(running, mlflow, capsys):
    name, ports = save(running, mlflow), {s: running.server(s).port for s in SERVERS}
    assert main(["down", "--folder", str(running.folder)]) == 0
    assert not everything_of(running.folder)
    assert main(["status", "--folder", str(running.folder)]) == 1
    assert main(["down", "--folder", str(running.folder)]) == 0
    assert "nothing to do" in capsys.readouterr().out

    settings = running.folder / "postgresql" / "data" / "postgresql.conf"
    right = settings.read_text()
    settings.write_text(f"{right}\nnonsense = 1\n")
    with pytest.raises(UserError, match=r"PostgreSQL.*ended while it started.*contains errors.*server\.log"):
        running.up()
    assert not everything_of(running.folder)
    settings.write_text(right)

    bystander = subprocess.Popen([*database._as_postgres(), "sleep", "100"])
    record = {"pid": bystander.pid, "created": psutil.Process(bystander.pid).create_time() - 100}
    (running.folder / "zenml" / "process.json").write_text(json.dumps(record))  # another process got its number
    (running.folder / "postgresql" / "data" / "postmaster.pid").write_text(f"{bystander.pid}\n")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections do not matter
        taken.bind(("127.0.0.1", ports["s3"]))
        taken.listen()
        assert sorted(running.up()) == sorted([*SERVERS, "logs"])
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    assert {s for s in SERVERS if running.server(s).port != ports[s]} == {"s3"}
    assert str(running.server("s3").port) in running.environment["SENTIMENT_S3_ENDPOINT"]
    assert saved(running, name) == dict.fromkeys(SERVERS, True)


def test_logs_of_running_servers_are_cut(running, monkeypatch, tmp_path):
    log = running.server("s3").log
    with log.open("ab") as file:
        file.write(b"x\n" * (logs.MAX_BODY_BYTES // 2 + 1) + b"last\n")
    until(lambda: log.stat().st_size < logs.KEPT_BYTES)
    kept = log.with_suffix(".log.1").read_bytes()
    assert (len(kept), kept[-5:]) == (logs.KEPT_BYTES, b"last\n")
    with pytest.raises(Exception, match="Not Found"):  # it continues where it was interrupted
        running.bucket().head_bucket(Bucket="none")


def test_without_postgresql_mlflow_keeps_its_data_in_sqlite(cloud, tmp_path, monkeypatch):
    monkeypatch.setattr(database, "program", lambda name: None)
    assert "not installed" in database.obstacle(tmp_path)
    keys = Cloud(tmp_path)._new_keys()
    assert keys.database == "sqlite"
    assert "postgresql" not in [server.name for server in Cloud(tmp_path).servers(keys)]
    keys.ports["s3"], keys.s3_access_key = cloud.server("s3").port, cloud.environment["SENTIMENT_S3_ACCESS_KEY"]
    server = MLflow(tmp_path, keys)
    try:
        server.start()
        server.wait()
        assert (tmp_path / "mlflow" / "data" / "mlflow.db").exists()
    finally:
        server.stop()
    assert not everything_of(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0 or database.program("postgres") is None, reason="needs root and PostgreSQL")
def test_a_folder_that_postgres_may_not_enter_is_reported(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "inside").mkdir()
    assert "cannot reach" in database.obstacle(tmp_path / "inside")


def test_damaged_keys_and_missing_servers_are_one_line(tmp_path, capsys):
    assert main(["status", "--folder", str(tmp_path / "none")]) == 2
    assert "make cloud-up" in capsys.readouterr().err
    (tmp_path / "keys.json").write_text('{"database": "sqlite", "s3_secret_key": 12345678}')
    assert main(["up", "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "is damaged" in said
    assert "12345678" not in said
    (tmp_path / "keys.json").unlink()
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / COMPLETE).touch()  # data exist, and new keys do not fit them
    assert main(["up", "--folder", str(tmp_path)]) == 2
    assert "is gone" in capsys.readouterr().err
    assert not (tmp_path / "keys.json").exists()
