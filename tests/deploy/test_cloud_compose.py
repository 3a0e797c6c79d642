"""compose.cloud.yaml starts the servers of make cloud-up, and reads its secrets only from .cloud/env."""

import configparser
import json
import os
import re
import subprocess

import yaml

from stacks.cloud.keys import Keys
from stacks.cloud.mlflow import MLflow
from stacks.cloud.zenml import ZenML
from tests.helpers.deploy_files import DEPLOY, ROOT

TEXT = (DEPLOY / "compose.cloud.yaml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
KEYS = Keys(database="postgresql", zenml_api_key="key")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|FORMS")


def known_addresses():
    lines = (DEPLOY / "cloud.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def generated():
    """Names of the secrets that the recipe at the top of the file makes."""
    names = re.search(r"for name in (.*?)#\s+do", TEXT, re.S)[1]
    return {f"SENTIMENT_{name}" for name in re.findall(r"[A-Z][A-Z0-9_]+", names)}


def pins():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return dict(line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith("#"))


def test_every_variable_comes_from_the_recipe_and_nothing_goes_unused():
    asked = set(re.findall(r"\$\{(\w+):\?\}", TEXT))
    assert asked == {name for name in re.findall(r"(?<!\$)\$\{?(SENTIMENT_\w+)", TEXT) if name != "SENTIMENT_"}
    assert asked <= known_addresses().keys() | generated()
    assert generated() <= asked
    assert not [name for name in known_addresses() if SECRET.search(name)]


def test_the_stack_file_finds_its_variables():
    made_by_hand = {"SENTIMENT_ZENML_API_KEY", "SENTIMENT_ZENML_USERNAME"}
    assert KEYS.environment().keys() - made_by_hand <= known_addresses().keys() | generated()


def test_addresses_are_the_published_ports():
    published = {port.rpartition(":")[0] for service in SERVICES.values() for port in service.get("ports", ())}
    assert {f"http://{address}" for address in published} == {
        value for name, value in known_addresses().items() if name.endswith(("_URI", "_URL", "_ENDPOINT"))
    }


def test_databases_are_reached_by_their_servers_only():
    for name in ("postgres", "mysql"):
        assert "ports" not in SERVICES[name]
        assert SERVICES[name]["networks"] == ["inside"]


def test_no_secret_is_on_a_command_line():
    for service in SERVICES.values():
        words = json.dumps([service.get(key) for key in ("command", "entrypoint", "healthcheck")])
        assert not re.findall(r"\$\{SENTIMENT_\w*(?:PASSWORD|SECRET|TOKENS|FORMS)\w*", words)


def test_versions_are_those_of_the_project():
    ours = pins()
    installed = re.findall(r"([\w-]+)(?:\[\w+\])?==(\S+)", SERVICES["mlflow"]["build"]["dockerfile_inline"])
    assert {name for name, _ in installed} == {"mlflow", "psycopg2-binary", "boto3"}
    assert {name: pin for name, pin in installed if ours[name] != pin} == {}
    assert SERVICES["mlflow"]["image"].endswith(f":{ours['mlflow']}")
    assert SERVICES["zenml"]["image"].endswith(f":{ours['zenml']}")


def test_servers_have_the_settings_of_cloud_up(tmp_path):
    ours = MLflow(tmp_path, KEYS).environment().keys() - {"MLFLOW_LOGGING_LEVEL"}
    assert SERVICES["mlflow"]["environment"].keys() - {"HOME", "BUCKET"} == ours
    ours = ZenML(tmp_path, KEYS).environment().keys() - {"ZENML_SERVER"}  # as the image declares
    assert SERVICES["zenml"]["environment"].keys() == {n for n in ours if not n.startswith("ZENML_LOGGING")}


def test_mlflow_is_started_with_its_users_in_its_database(tmp_path):
    (tmp_path / "mlflow").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "mlflow").chmod(0o700)
    users = tmp_path / "users.ini"
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_BACKEND_STORE_URI": "postgresql://mlflow:secret@postgres:5432/mlflow",
        "MLFLOW_AUTH_CONFIG_PATH": str(users),
        "BUCKET": "sentiment",
    }
    (script,) = SERVICES["mlflow"]["command"]
    command = [*SERVICES["mlflow"]["entrypoint"], script.replace("$$", "$")]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert users.stat().st_mode & 0o077 == 0
    written = configparser.ConfigParser()
    written.read(users)
    assert written["mlflow"]["database_uri"] == environment["MLFLOW_BACKEND_STORE_URI"]
    own = [*MLflow(tmp_path, KEYS).command()]
    options = {option for option in own[own.index("server") :] if option.startswith("--")}
    assert {option for option in told if option.startswith("--")} == options - {"--uvicorn-opts"} - {
        o for o in options if " " in o
    }
    assert told[told.index("--artifacts-destination") + 1] == "s3://sentiment/mlflow"
