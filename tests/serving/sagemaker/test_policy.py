"""The policy of the deployer allows exactly the calls that the code makes, on the resources that it makes them on."""

import json
from fnmatch import fnmatchcase

import pytest

from serving.rollouts.settings import RolloutSettings, SmokeSettings
from serving.rollouts.smoke_set import Known
from serving.sagemaker import images
from serving.sagemaker.invoke import Variant
from stacks.stack_file import ROOT
from tests.helpers import sagemaker
from tests.serving.sagemaker.conftest import POSITIVE, described

FOLDER = ROOT / "deploy" / "sagemaker"
PUSH = {  # of docker push and buildah push, as ECR's manual lists them; and of a push of layers that are there
    "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
}  # fmt: skip
KNOWN = [Known(text, positive) for text, positive in POSITIVE.items()]


def statements(name):
    text = (FOLDER / name).read_text().replace("REGION", sagemaker.REGION).replace("ACCOUNT", sagemaker.ACCOUNT)
    found = json.loads(text)["Statement"]
    return [{k: [v] if isinstance(v, str) and k in ("Action", "Resource") else v for k, v in s.items()} for s in found]


@pytest.fixture
def calls(account, answers, monkeypatch):
    """Every call of two deployments with a push, a failed canary, status and stop."""
    monkeypatch.setattr(images, "find_engine", lambda: None)
    monkeypatch.setattr(images, "build_image", lambda *_: None)
    monkeypatch.setattr(images, "push_image", lambda *_: sagemaker.put_image("v4-abc"))
    answers["4"] = POSITIVE
    deployer = sagemaker.deployer()
    deployer.preflight("canary")
    live = deployer.switch(deployer.start(described("4")), run="r")
    service = deployer.start(described("2"))
    deployer.test(service, KNOWN, SmokeSettings(), engine="numpy", threshold=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.sagemaker.canary.watch", lambda *_: None)
        assert not deployer.compare(service, live, KNOWN, RolloutSettings(mode="canary")).passed
    deployer.discard(service)
    deployer.is_up_to_date(deployer.live())
    deployer.read_health(live)
    assert deployer.stop()
    monkeypatch.undo()
    Variant(deployer.aws, "sentiment", service.variant).post(b"")
    return [call for call in account.calls if call[0] != "ecr:PutImage"]  # of the test's own push


def arns(action, arguments):
    """The resources that a call needs, as AWS's reference of actions lists them; none for calls that have none."""
    prefix = f"{sagemaker.REGION}:{sagemaker.ACCOUNT}"
    if "ResourceArn" in arguments:
        return [arguments["ResourceArn"]]
    if name := arguments.get("repositoryName") or (arguments.get("repositoryNames") or [None])[0]:
        return [f"arn:aws:ecr:{prefix}:repository/{name}"]
    kinds = {"EndpointName": "endpoint", "EndpointConfigName": "endpoint-config", "ModelName": "model"}
    return [f"arn:aws:sagemaker:{prefix}:{kind}/{arguments[key]}" for key, kind in kinds.items() if key in arguments]


def allows(action, resource):
    return any(
        action in s["Action"] and any(fnmatchcase(resource, pattern) for pattern in s["Resource"])
        for s in statements("deployer-policy.json")
    )


def test_every_call_is_allowed_and_nothing_else_is(calls):
    for action, arguments in calls:
        for resource in arns(action, arguments) or ["*"]:
            assert allows(action, resource), (action, resource)
    granted = {action for s in statements("deployer-policy.json") for action in s["Action"]}
    tagged = {"sagemaker:AddTags"}  # also by Create...(Tags=)
    assert granted == {action for action, _ in calls} | tagged | PUSH | {"iam:PassRole"}


def test_no_right_is_wider_than_it_must_be():
    for s in statements("deployer-policy.json") + statements("execution-policy.json"):
        assert not [action for action in s["Action"] if "*" in action]
        if s["Resource"] == ["*"]:
            assert all(a.split(":")[1].startswith(("List", "Get", "Describe", "PutMetric")) for a in s["Action"])
        else:
            assert all("sentiment" in resource for resource in s["Resource"])
    (role,) = [s for s in statements("deployer-policy.json") if "iam:PassRole" in s["Action"]]
    assert role["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert role["Resource"] == [sagemaker.ROLE]
    (trust,) = json.loads((FOLDER / "execution-trust.json").read_text())["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
