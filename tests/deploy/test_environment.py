"""The service reads every setting that compose and Kubernetes pass to it."""

import yaml

from bento.settings import PREFIX, ServiceSettings
from tests.helpers.deploy_files import DEPLOY, manifests

READ_BY_THE_SERVICE_FILE = {"WORKERS"}  # before there are settings


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["sentiment"]


def container():
    (deployment,) = [m for _, m in manifests() if m["kind"] == "Deployment"]
    return deployment["spec"]["template"]["spec"]["containers"][0]


def environments():
    return compose()["environment"], {entry["name"]: entry["value"] for entry in container()["env"]}


def test_every_variable_is_a_setting_with_a_right_value(monkeypatch):
    known = {name.upper() for name in ServiceSettings.model_fields}
    for environment in environments():
        own = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
        assert own.keys() <= known | READ_BY_THE_SERVICE_FILE
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = ServiceSettings()
        assert (settings.host, settings.grpc_port) == ("0.0.0.0", 3001)
        assert settings.tokens_file is not None


def test_both_start_the_same_command():
    assert compose()["command"] == container()["args"]


def test_written_files_are_on_a_volume():
    service = compose()
    for environment, mounts in zip(
        environments(),
        (
            [v.split(":")[1] for v in service["volumes"]] + [v.split(":")[0] for v in service["tmpfs"]],
            [m["mountPath"] for m in container()["volumeMounts"] if not m.get("readOnly")],
        ),
        strict=True,
    ):
        for name in ("BENTOML_HOME", "SENTIMENT_STATE", "SENTIMENT_LOG"):
            assert any(environment[name].startswith(mount) for mount in mounts), name
