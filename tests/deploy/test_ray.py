"""The RayJob: its pods keep to Kubernetes' schema, its fields to KubeRay's, and its command to run.py."""

import re
import shlex

import pytest
import yaml

from cli.commands import COMMANDS
from cli.parser import parse
from pipelines.settings import read_score_settings
from tests.helpers.deploy_files import DEPLOY, ROOT

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")

JOB = yaml.safe_load((DEPLOY / "ray" / "rayjob.yaml").read_text())
CLUSTER = JOB["spec"]["rayClusterSpec"]
# of ray.io/v1, as KubeRay documents them: no package carries its schema
JOB_FIELDS = {
    "entrypoint", "backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "activeDeadlineSeconds",
    "rayClusterSpec", "runtimeEnvYAML", "submissionMode", "suspend", "submitterPodTemplate",
}  # fmt: skip
GROUP_FIELDS = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}


def test_the_fields_are_those_of_kuberay():
    assert (JOB["apiVersion"], JOB["kind"]) == ("ray.io/v1", "RayJob")
    assert JOB["spec"].keys() <= JOB_FIELDS
    assert CLUSTER.keys() == {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    for group in (CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]):
        assert group.keys() <= GROUP_FIELDS
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())


@pytest.mark.parametrize("group", [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]])
def test_the_pods_keep_to_the_schema(group):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, **group["template"]}
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


def test_the_version_of_ray_is_the_pinned_one():
    pinned = re.search(r"^ray==(\S+)", (ROOT / "requirements-ray.txt").read_text(), flags=re.MULTILINE)[1]
    assert CLUSTER["rayVersion"] == pinned


def test_the_command_scores_on_ray():
    program, script, *words = shlex.split(JOB["spec"]["entrypoint"])
    assert (program, script) == ("python", "run.py")
    call = parse(COMMANDS, words)
    settings = read_score_settings(
        call.arguments.config, call.arguments.overrides, call.arguments.input, call.arguments.output
    )
    assert (settings.engine, settings.ray_address) == ("ray", "auto")
    assert settings.output.startswith("s3://")
