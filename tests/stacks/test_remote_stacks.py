"""The stacks beyond one machine, against ZenML's own classes, Kubernetes' schemas, and a real image builder."""

import dataclasses
import json
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from sentiment.errors import UserError
from sentiment.reviews.sources import SourceSettings
from stacks.activation import activated
from stacks.run_settings import check_run_settings
from stacks.stack_file import ROOT, read_stack
from tests.helpers import containers
from tests.helpers.own_zenml import copied_zenml, own_zenml

NAMES = ("kubernetes", "aws")
WITH_SERVICES = (*NAMES, "sagemaker")
VARIABLES = {
    "SENTIMENT_ZENML_URL": "https://zenml.example.com",
    "SENTIMENT_S3_ACCESS_KEY": "AKIAEXAMPLE",
    "SENTIMENT_S3_SECRET_KEY": "an-s3-secret",
    "SENTIMENT_S3_BUCKET": "reviews",
    "SENTIMENT_MLFLOW_URI": "https://mlflow.example.com",
    "SENTIMENT_MLFLOW_USERNAME": "steps",
    "SENTIMENT_MLFLOW_PASSWORD": "an-mlflow-password",
    "SENTIMENT_KUBERNETES_CONTEXT": "production",
    "SENTIMENT_REGISTRY": "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    "SENTIMENT_AWS_ROLE": "arn:aws:iam::123456789012:role/sentiment",
    "SENTIMENT_AWS_REGION": "eu-central-1",
}
USER = 1034
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
CODE = {*PACKAGES, "configs"}


@pytest.fixture(scope="module", autouse=True)
def zenml(fresh, tmp_path_factory):
    """Other tests do not find these stacks and their secrets."""
    with own_zenml(copied_zenml(fresh, tmp_path_factory.mktemp("remote") / "zenml")):
        yield


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    monkeypatch.chdir(ROOT)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def declared(name):
    """The stack without its server, which does not run here."""
    return dataclasses.replace(read_stack(name), server=None)


def changed(name, path, value):
    """The stack with one value of its file replaced, or added."""
    document = yaml.safe_load((ROOT / "configs" / "stacks" / f"{name}.yaml").read_text())
    *parents, last = path
    inner = document
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return document


@pytest.mark.parametrize("name", WITH_SERVICES)
def test_every_variable_is_asked_for(name, monkeypatch):
    asked = {n for n in VARIABLES if f"${{{n}}}" in (ROOT / "configs" / "stacks" / f"{name}.yaml").read_text()}
    assert len(asked) >= 7
    for variable in asked:
        with monkeypatch.context() as without, pytest.raises(UserError, match=f"{variable} is not set"):
            without.delenv(variable)
            read_stack(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_SERVICES)
def test_zenml_takes_it_and_a_second_time_there_is_nothing_to_change(name):
    from zenml.client import Client

    with activated(declared(name)) as first:
        components = Client().get_stack(first.id).components
    with activated(declared(name)) as second:
        assert second.changes == ()
    expected = {
        "kubernetes": {"orchestrator": "kubernetes", "container_registry": "default", "image_builder": "local"},
        "aws": {"orchestrator": "sagemaker", "container_registry": "aws", "image_builder": "local"},
        "sagemaker": {"orchestrator": "local", "model_deployer": "sentiment_sagemaker"},
    }[name] | {"artifact_store": "s3", "experiment_tracker": "mlflow"}
    assert {kind.value: found[0].flavor_name for kind, found in components.items()} == expected
    stored = json.dumps([found[0].configuration for found in components.values()])
    assert not [value for name, value in VARIABLES.items() if "SECRET" in name or "PASSWORD" in name if value in stored]


def test_the_endpoint_of_the_stack_file_has_its_roles_and_prices():
    from serving.sagemaker.config import SageMakerDeployerConfig

    settings = declared("sagemaker").components["model_deployer"].configuration
    config = SageMakerDeployerConfig(**settings)
    assert (config.repository_name, config.endpoint, config.price_per_hour) == ("sentiment", "sentiment", None)


POD = ("components", "orchestrator", "configuration", "pod_settings")
STEP = ("steps", "train_transformer", "orchestrator")


@pytest.mark.parametrize(
    ("name", "path", "value", "words"),
    [
        ("kubernetes", ("settings", "docker", "requirement"), "requirements.txt", "Did you mean requirements?"),
        ("kubernetes", ("settings", "dockr"), {}, "Did you mean docker?"),
        ("kubernetes", ("settings", "docker", "requirements"), "missing.txt", "there is no file missing.txt"),
        ("kubernetes", ("settings", "docker", "build_config"), {"dockerignore": "no"}, "there is no file no"),
        ("kubernetes", ("settings", "docker", "build_config"), {"dockerignor": "none"}, "Did you mean dockerignore?"),
        ("kubernetes", (*POD, "toleration"), [], "Did you mean tolerations?"),
        ("kubernetes", (*STEP, "pod_setting"), {}, "Did you mean pod_settings?"),
        ("kubernetes", (*STEP, "pod_settings", "resource"), {}, "Did you mean resources?"),
        ("kubernetes", (*STEP, "pod_settings", "env"), "SENTIMENT_CACHE=/cache", "pod_settings.env"),
        ("kubernetes", ("settings", "image_builder"), {}, "has no settings of runs"),
        ("aws", (*STEP, "instance_typ"), "ml.g5.xlarge", "Did you mean instance_type?"),
        ("aws", (*STEP, "volume_size_in_gb"), "much", "volume_size_in_gb"),
        ("aws", (*STEP, "execution_role"), ["a", "b"], "execution_role"),
    ],
)
def test_a_key_that_zenml_would_ignore_is_one_line(name, path, value, words, tmp_path):
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(changed(name, path, value)))
    with pytest.raises(UserError) as caught:
        check_run_settings(read_stack(name, tmp_path))
    assert words in str(caught.value)
    assert str(tmp_path / f"{name}.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_step_that_no_pipeline_has_is_one_line():
    from cli.runs.start import stack_options

    stack = declared("kubernetes")
    for steps in ({"train_transfomer": {}}, {**stack.steps, "trian_linear": {}}):
        with activated(dataclasses.replace(stack, steps=steps)), pytest.raises(UserError, match="Did you mean train_"):
            stack_options()


def test_a_stack_without_settings_asks_nothing_of_a_run():
    from cli.runs.start import stack_options

    assert stack_options() == {}
    with activated(read_stack("local")):
        assert stack_options() == {}


@pytest.fixture(scope="module")
def compiled():
    """The train pipeline as ZenML would submit it to Kubernetes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        with activated(declared("kubernetes")):
            from zenml.client import Client

            from cli.runs.start import stack_options
            from pipelines.settings import TrainSettings
            from pipelines.train import train

            options = stack_options()
            configured = train.with_options(**options)
            configured.prepare(TrainSettings(source=SourceSettings()), "fingerprint", None, True)
            snapshot, *_ = configured._compile(**options)  # the beginning of a run
            orchestrator = Client().active_stack.orchestrator
            yield {
                name: (orchestrator.get_settings(step), step.config.docker_settings)
                for name, step in snapshot.step_configurations.items()
            }


def pod(settings):
    """The pod that ZenML's orchestrator would start for a step with these settings, as sent to Kubernetes."""
    from kubernetes.client import ApiClient
    from zenml.integrations.kubernetes.kube_utils import apply_default_resource_requests
    from zenml.integrations.kubernetes.manifest_utils import build_pod_manifest

    made = build_pod_manifest(
        pod_name="step",
        image_name="image",
        command=["python"],
        args=[],
        privileged=settings.privileged,
        pod_settings=apply_default_resource_requests(memory="400Mi", pod_settings=settings.pod_settings),
        service_account_name=settings.step_pod_service_account_name,
    )
    return _without_nulls(ApiClient().sanitize_for_serialization(made))


def _without_nulls(value):
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


def validate(manifest):
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_every_pod_keeps_to_the_schema_and_has_no_privilege(compiled):
    assert {"load", "train_linear", "train_transformer", "evaluate_cascade", "promote"} <= set(compiled)
    for settings, _ in compiled.values():
        manifest = pod(settings)
        validate(manifest)
        (container,) = manifest["spec"]["containers"]
        context = container["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"], context["privileged"]) == (True, USER, False)
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}  # the namespace enforces "restricted"
        assert manifest["spec"]["automountServiceAccountToken"] is False
        assert manifest["spec"]["securityContext"] == {"fsGroup": USER}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_only_training_asks_for_a_gpu_and_for_the_volume_it_resumes_from(compiled):
    pods = {name: pod(settings)["spec"] for name, (settings, _) in compiled.items()}
    gpus = {name: spec["containers"][0]["resources"]["limits"].get("nvidia.com/gpu") for name, spec in pods.items()}
    assert {name for name, count in gpus.items() if count} == {"train_transformer"}
    training = pods["train_transformer"]
    assert gpus["train_transformer"] == training["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert training["tolerations"][0]["key"] == "nvidia.com/gpu"
    (cache,) = [entry["value"] for entry in training["containers"][0]["env"] if entry["name"] == "SENTIMENT_CACHE"]
    assert [mount["mountPath"] for mount in training["containers"][0]["volumeMounts"]] == [cache]
    assert [name for name, spec in pods.items() if spec.get("volumes")] == ["train_transformer"]


def test_the_cluster_has_what_the_pods_name(compiled):
    text = (ROOT / "deploy" / "pipelines" / "kubernetes.yaml").read_text()
    assert text.startswith("# ")
    manifests = list(yaml.safe_load_all(text))
    for manifest in manifests:
        validate(manifest)
    there = {(m["kind"], m["metadata"]["name"]) for m in manifests}
    settings = compiled["train_transformer"][0]
    namespace = declared("kubernetes").components["orchestrator"].configuration["kubernetes_namespace"]
    claim = settings.pod_settings.volumes[0]["persistentVolumeClaim"]["claimName"]
    accounts = (settings.service_account_name, settings.step_pod_service_account_name)
    assert there >= {("Namespace", namespace), ("PersistentVolumeClaim", claim)}
    assert there >= {("ServiceAccount", account) for account in accounts}
    assert {m["metadata"]["namespace"] for m in manifests if m["kind"] != "Namespace"} == {namespace}
    (binding,) = [m for m in manifests if m["kind"] == "RoleBinding"]
    assert [subject["name"] for subject in binding["subjects"]] == [settings.service_account_name]


# The image of the steps


def docker_settings(name, **changes):
    from zenml.config import DockerSettings

    return DockerSettings(**{**declared(name).settings["docker"], **changes})


def dockerfile(settings):
    from zenml.utils.pipeline_docker_image_builder import PipelineDockerImageBuilder as Builder

    files = Builder.gather_requirements_files(settings, stack=None, log=False)
    return Builder._generate_zenml_pipeline_dockerfile(settings.parent_image, settings, files), files


@pytest.mark.parametrize(("name", "package"), [("kubernetes", "kubernetes"), ("aws", "sagemaker")])
def test_the_image_has_the_pins_and_another_user_than_root(name, package):
    lines, (orchestrators, pins) = dockerfile(docker_settings(name))
    lines = lines.splitlines()
    assert lines[0] == "FROM python:3.11-slim"
    assert package in orchestrators[1]
    assert pins[1] == (ROOT / "requirements.txt").read_text()
    installs = [line for line in lines if "uv pip install" in line]
    assert [line.split()[-1] for line in installs] == [orchestrators[0], pins[0]]  # the pins win: they come last
    assert all("--system" in line for line in installs)
    assert [line for line in lines if line.startswith("USER")] == [f"USER {USER}:{USER}"]
    assert not [line for line in lines[lines.index(f"USER {USER}:{USER}") :] if line.startswith("RUN")]
    assert "ENV HOME='/tmp'" in lines
    assert not [value for value in VARIABLES.values() if value in "\n".join(lines)]


def test_both_stacks_make_the_image_alike():
    kubernetes, aws = (dict(declared(name).settings["docker"]) for name in NAMES)
    for settings in (kubernetes, aws):
        del settings["required_integrations"]
    aws["runtime_environment"] = dict(aws["runtime_environment"])
    del aws["runtime_environment"]["SAGEMAKER_SUPPRESS_V2_WARNING"]
    assert kubernetes == aws


@pytest.fixture
def checkout(tmp_path):
    """A working tree with files that must not get into an image."""
    tracked = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).split()
    for name in tracked:
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    for name in (".cloud/env", ".env", ".git/config", ".venv/bin/python", "reviews.csv", "mlruns/0/meta.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a secret")
    return tmp_path


def context(folder, settings):
    from zenml.image_builders import BuildContext

    return BuildContext(
        root=str(folder), dockerignore_file=settings.build_config and settings.build_config.dockerignore
    )


def test_only_code_and_settings_get_into_the_image(checkout):
    names = set(context(checkout, docker_settings("kubernetes")).get_files())
    assert {Path(name).parts[0] for name in names} == {*CODE, "run.py"}
    assert {"steps/training/train_transformer.py", "configs/expectations/reviews.yaml"} <= names


LOOK = """
import json, os, sentiment.errors
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "code": sorted(os.listdir(".")),
    "error": str(sentiment.errors.UserError("what", where="where")),
    "writable": [f for f in ("/", "/usr", os.getcwd(), os.environ["HOME"]) if os.access(f, os.W_OK)],
    "zenml": os.environ["ZENML_CONFIG_PATH"],
}))
"""


@pytest.mark.slow
def test_the_image_is_built_and_runs_the_code_unprivileged(
    checkout, container_engine, container_base, tmp_path_factory
):
    """ZenML's own Dockerfile without the packages, which are gigabytes from the network."""
    nothing = {"requirements": None, "required_integrations": [], "python_package_installer": "pip"}
    settings = docker_settings("kubernetes", parent_image=container_base, **nothing)
    build = context(checkout, settings)
    build.add_file(dockerfile(settings)[0], "Dockerfile")
    folder = tmp_path_factory.mktemp("context")
    with (folder / "context.tar.gz").open("wb") as file:
        build.write_archive(file)
    with tarfile.open(folder / "context.tar.gz") as archive:
        archive.extractall(folder / "context", filter="data")
    command = [*container_engine.command, *container_engine.build, "--tag", "steps", str(folder / "context")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    seen = json.loads(containers.run(container_engine, "steps", "python3", "-c", LOOK))
    assert seen["user"] == [USER, USER]
    assert seen["writable"] == ["/app", "/tmp"]
    assert seen["zenml"].startswith("/app/")
    assert seen["error"] == "where: what"
    assert set(seen["code"]) - {"Dockerfile"} == {*CODE, "run.py"}
