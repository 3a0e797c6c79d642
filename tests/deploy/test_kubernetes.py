"""The manifests follow Kubernetes' own schemas, and meet the needs of the service."""

import pytest

from tests.helpers.deploy_files import DEPLOY, manifests

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")

KINDS = {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"}
NAMES = [f"{file.name}-{manifest['kind']}" for file, manifest in manifests()]


def of_kind(kind):
    (manifest,) = [m for _, m in manifests() if m["kind"] == kind]
    return manifest


@pytest.mark.parametrize("manifest", [m for _, m in manifests()], ids=NAMES)
def test_keeps_to_the_schema(manifest):
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_the_schema_would_tell():
    broken = of_kind("Service") | {"spec": {"selectors": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


def test_everything_is_there_once():
    assert sorted(m["kind"] for _, m in manifests()) == sorted(KINDS)
    assert {m["metadata"]["name"] for _, m in manifests()} == {"sentiment"}


def test_all_mean_the_same_pods():
    template = of_kind("Deployment")["spec"]["template"]
    labels = template["metadata"]["labels"]
    selectors = [
        of_kind("Deployment")["spec"]["selector"]["matchLabels"],
        of_kind("Service")["spec"]["selector"],
        of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(c["labelSelector"]["matchLabels"] for c in template["spec"]["topologySpreadConstraints"]),
    ]
    assert all(selector and selector.items() <= labels.items() for selector in selectors)
    assert of_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["kind"] == "Deployment"


def test_both_protocols_have_a_port_everywhere():
    (container,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 3000, "grpc": 3001}
    assert {p["targetPort"] for p in of_kind("Service")["spec"]["ports"]} == set(ports)
    (rule,) = of_kind("NetworkPolicy")["spec"]["ingress"]
    assert {p["port"] for p in rule["ports"]} == set(ports)


def test_probes_ask_the_right_question():
    (container,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}


def test_there_is_time_to_drain():
    spec = of_kind("Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    drain = int(container["args"][container["args"].index("--timeout-graceful-shutdown") + 1])
    waiting = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert spec["terminationGracePeriodSeconds"] > drain + waiting


def test_the_log_fits_its_volume():
    spec = of_kind("Deployment")["spec"]["template"]["spec"]
    (most,) = [e["value"] for e in spec["containers"][0]["env"] if e["name"] == "SENTIMENT_LOG_MAX_MB"]
    (volume,) = [v for v in spec["volumes"] if v["name"] == "log"]
    assert float(most) * 1e6 < int(volume["emptyDir"]["sizeLimit"].removesuffix("Mi")) * 2**20


def test_runs_without_any_privilege():
    spec = of_kind("Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] > 0
    assert not spec["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    assert of_kind("NetworkPolicy")["spec"]["egress"] == []


def test_every_file_has_a_header():
    files = [f for f in DEPLOY.rglob("*") if f.suffix in (".yaml", ".yml", ".conf")]
    assert len(files) > 8
    assert [f.name for f in files if not f.read_text().startswith("# ")] == []
