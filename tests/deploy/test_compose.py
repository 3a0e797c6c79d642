"""compose*.yaml follow the Compose specification, are consistent, and grant no needless rights."""

import copy
import json
import re

import pytest
import yaml

from tests.helpers.deploy_files import DEPLOY

compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is not installed")

FILES = ("compose.yaml", "compose.cloud.yaml")
COMPOSES = {
    file: yaml.safe_load((DEPLOY / file).read_text()) for file in FILES
}  # merge keys are resolved, as Compose does it
COMPOSE = COMPOSES["compose.yaml"]
SERVICES = COMPOSE["services"]
every_service = pytest.mark.parametrize(
    ("file", "name"), [(file, name) for file, compose in COMPOSES.items() for name in compose["services"]]
)


def check(compose):
    compose_spec.PyCompose.from_json(json.dumps(compose))


@pytest.mark.parametrize("file", FILES)
def test_keeps_to_the_specification(file):
    check(COMPOSES[file])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "sentiment", "healtcheck"), {}),
        (("services", "sentiment", "healthcheck", "interval"), "soon"),
        (("services", "nginx", "ports"), ["http:http"]),
        (("services", "sentiment", "depends_on", "log-folder", "condition"), "done"),
    ],
)
def test_the_specification_would_tell(path, value):
    broken = copy.deepcopy(COMPOSE)
    *parents, last = path
    place = broken
    for parent in parents:
        place = place[parent]
    place[last] = value
    with pytest.raises(ValueError, match=last if last == "healtcheck" else "line 1"):
        check(broken)


@every_service
def test_every_name_that_is_used_is_there(file, name):
    compose = COMPOSES[file]
    service = compose["services"][name]
    assert set(service.get("depends_on", ())) <= set(compose["services"])
    assert set(service.get("networks", ())) <= set(compose["networks"])
    assert set(service.get("secrets", ())) <= set(compose.get("secrets", ()))
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith("./") else source in compose["volumes"]


@every_service
def test_nothing_has_more_rights_than_it_needs(file, name):
    service = COMPOSES[file]["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[\w/-]+:[\w.-]+", service["image"])
    if "cap_add" in service:  # changes the owner of a folder, once, without a network
        assert (service["cap_add"], service["network_mode"], service["restart"]) == (["CHOWN"], "none", "no")
        return
    assert int(service["user"].split(":")[0]) > 0
    if service["restart"] != "no":
        assert service["healthcheck"]["test"]
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_service_is_reached_through_nginx_only():
    assert "ports" not in SERVICES["sentiment"]
    assert SERVICES["sentiment"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"]
    conf = (DEPLOY / "nginx.conf").read_text()
    listened = set(re.findall(r"listen 0.0.0.0:(\d+)", conf))
    assert {port.rsplit(":", 1)[1] for port in SERVICES["nginx"]["ports"]} == listened == {"3000", "3001"}
    assert set(re.findall(r"server (\w+):\d+ ", conf)) == {"sentiment"} <= set(SERVICES)


def test_the_service_has_time_to_drain():
    command = SERVICES["sentiment"]["command"]
    drain = int(command[command.index("--timeout-graceful-shutdown") + 1])
    assert int(SERVICES["sentiment"]["stop_grace_period"].removesuffix("s")) > drain


def test_secrets_are_files_that_git_does_not_take():
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())
    assert "secrets/" in (DEPLOY / ".gitignore").read_text().split()


def test_prometheus_and_grafana_find_each_other():
    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    jobs = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    (found,) = [config for job in jobs for config in job.get("dns_sd_configs", ())]
    assert (set(found["names"]) <= set(SERVICES), str(found["port"])) == (True, "3000")
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/sentiment.yaml").read_text())["providers"]
    targets = [volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]]
    assert provider["options"]["path"] in targets
