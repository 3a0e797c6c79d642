"""Deployments at SageMaker, against moto: what is live, what is on trial, and what is left after any failure."""

import re
import time
from datetime import UTC, datetime, timedelta

import botocore.exceptions
import pytest
from pydantic import ValidationError

from sentiment.errors import UserError
from serving.rollouts.settings import RolloutSettings
from serving.rollouts.smoke_set import Known
from serving.sagemaker import canary
from serving.sagemaker.aws import Aws, AwsError, explain
from serving.sagemaker.config import SageMakerDeployerConfig
from serving.service import NotStartedError
from tests.helpers import sagemaker
from tests.serving.sagemaker.conftest import POSITIVE, described

KNOWN = [Known(text, positive) for text, positive in POSITIVE.items()]
CANARY = RolloutSettings(mode="canary", share=20, seconds=0.01, min_requests=5)


def deploy(deployer, version):
    return deployer.switch(deployer.start(described(version)), run=f"deploy-{version}")


def weights(account):
    return {v["VariantName"][:12]: v.get("CurrentWeight", 0) for v in endpoint(account).production_variants}


def endpoint(account):
    return account.backend.endpoints["sentiment"]


def left(account):
    """Versions of the models, and of the configurations, that are there."""
    backend = account.backend
    return sorted(m[11:12] for m in backend._models), sorted(c[11:12] for c in backend.endpoint_configs)


def test_nothing_is_live_at_first(deployer):
    assert deployer.live() is None
    assert deployer.hourly_cost() == ""
    assert deployer.stop() is False


def test_the_first_version_goes_live_and_another_machine_sees_it(deployer, account):
    service = deployer.start(described("1"))
    assert sagemaker.deployer().live() is None  # not before the switch
    deployer.switch(service, run="deploy-1")
    live = sagemaker.deployer().live()
    assert live.bento == described("1").model_copy(update={"labels": {"fingerprint": "f" * 64}})
    assert (live.run, live.healthy, live.grpc, live.front) == ("deploy-1", True, "", True)
    assert live.http == "https://runtime.sagemaker.eu-central-1.amazonaws.com/endpoints/sentiment/invocations"
    assert datetime.now(UTC) - datetime.fromisoformat(live.since) < timedelta(minutes=5)
    assert (live.facts["instances"], live.facts["region"]) == ("1 of ml.m5.large", "eu-central-1")
    assert live.since.endswith("+00:00")
    assert live.facts["cost"] == "$0.50 an hour (1 x $0.5)"
    assert live.facts["traffic"].endswith(" 100%")
    model = account.backend._models[live.service]
    assert model.primary_container["Image"].startswith(f"{sagemaker.REPOSITORY}@sha256:")  # it never moves
    assert model.primary_container["Environment"]["SENTIMENT_ABSTAIN_BELOW"] == "0.6"


def test_a_new_version_gets_no_traffic_before_the_switch_and_the_old_one_costs_nothing_after_it(deployer, account):
    deploy(deployer, "1")
    service = deployer.start(described("2"))
    assert weights(account) == {"sentiment-v1": 1, "sentiment-v2": 0}
    assert deployer.live().bento.version == "1"
    assert deployer.hourly_cost() == "$1.00 an hour (2 x $0.5)"
    live = deployer.switch(service, run="deploy-2")
    assert (live.bento.version, deployer.is_live(service)) == ("2", True)
    assert weights(account) == {"sentiment-v2": 1}
    assert left(account) == (["2"], ["2"])


def test_a_rollback_deploys_the_version_before_from_its_image(deployer, account):
    for version in "121":
        assert deploy(deployer, version).bento.version == version
    assert "ecr:GetAuthorizationToken" not in account.actions  # nothing was pushed


def test_a_discarded_version_leaves_nothing(deployer, account):
    deploy(deployer, "1")
    deployer.discard(deployer.start(described("2")))
    assert weights(account) == {"sentiment-v1": 1}
    assert left(account) == (["1"], ["1"])
    deployer.stop()
    deployer.discard(deployer.start(described("2")))  # without a live one
    assert deployer.live() is None
    assert left(account) == ([], [])


def test_the_live_version_is_not_discarded(deployer):
    service = deployer.start(described("1"))
    deployer.switch(service, run="r")
    with pytest.raises(UserError, match="is live"):
        deployer.discard(service)


def test_stop_deletes_ours_and_nothing_else(deployer, account):
    deploy(deployer, "1")
    other = sagemaker.deployer(endpoint="sentiment-other")  # its name begins like ours
    deploy(other, "1")
    assert deployer.stop() is True
    assert deployer.live() is None
    assert other.live().bento.version == "1"
    assert all(name.startswith("sentiment-other-") for name in account.backend._models)


def test_the_command_that_asks_the_endpoint_names_its_region(deployer):
    from cli.runs.deploy import _example

    command = _example(deploy(deployer, "1"), needs_token=False)
    assert "invoke-endpoint --region eu-central-1 --endpoint-name sentiment " in command


def test_prune_and_deployments_keep_each_other_out(deployer, monkeypatch):
    from cli.commands.prune import _lock_deployer

    monkeypatch.setattr("serving.active.find_deployer", lambda: deployer)
    with _lock_deployer() as busy:
        assert busy == ""
        with pytest.raises(UserError, match=r"is busy: process .* is deleting old versions and Bentos"):
            deployer.start(described("1"))
    deployer.start(described("1"))
    with _lock_deployer() as busy:
        assert "is busy" in busy


def test_other_settings_are_noticed_and_a_price_is_none(deployer):
    live = deploy(deployer, "1")
    assert deployer.is_up_to_date(live)
    assert sagemaker.deployer(price_per_hour=9).is_up_to_date(live)
    assert not sagemaker.deployer(instance_type="ml.m5.xlarge").is_up_to_date(live)
    assert not sagemaker.deployer(abstain_below=0.7).is_up_to_date(live)


def test_the_live_version_keeps_its_instances_while_another_is_tried(deployer, account):
    deploy(deployer, "1")
    sagemaker.deployer(instance_type="ml.m5.xlarge", instance_count=2).start(described("2"))
    variants = account.backend.endpoint_configs[endpoint(account).endpoint_config_name].production_variants
    assert [(v["InstanceType"], v["InitialInstanceCount"]) for v in variants] == [
        ("ml.m5.large", 1),
        ("ml.m5.xlarge", 2),
    ]


# Canaries


def counted(monkeypatch, new, live):
    monkeypatch.setattr(canary, "read_traffic", lambda *_: [new, live])


def traffic(requests=100, failed=0, p95=0.01):
    return canary.Traffic(requests, failed, ((p95, 0.95 * requests), (float("inf"), requests)))


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({}, None),
        ({"failed": 5}, "errors"),
        ({"p95": 0.1}, "latency"),
        ({"requests": 4}, "requests"),
    ],
)
def test_a_canary_is_judged_by_the_usual_limits(change, failed, deployer, account, answers, monkeypatch):
    live = deploy(deployer, "1")
    service = deployer.start(described("2"))
    counted(monkeypatch, traffic(**change), traffic())
    report = deployer.compare(service, live, KNOWN, CANARY)
    assert [c.name for c in report.checks if not c.passed] == ([failed] if failed else [])
    shares = {"sentiment-v1": 0.8, "sentiment-v2": 0.2} if failed is None else {"sentiment-v1": 1, "sentiment-v2": 0}
    assert weights(account) == pytest.approx(shares)  # a bad one loses its share at once


@pytest.mark.parametrize(
    ("answer", "failed"), [({"a lovely film": 0.1, "a dull plot": 0.9}, "agreement"), (500, "answers")]
)
def test_a_canary_that_answers_otherwise_gets_no_traffic(answer, failed, deployer, account, answers):
    live = deploy(deployer, "1")
    answers["2"] = answer
    account.refuse("UpdateEndpointWeightsAndCapacities", "AccessDeniedException")  # not even a share of 0
    report = deployer.compare(deployer.start(described("2")), live, KNOWN, CANARY)
    assert [c.name for c in report.checks] == [failed]
    assert weights(account) == {"sentiment-v1": 1, "sentiment-v2": 0}


def test_cloudwatch_is_read_by_variant(account):
    aws = Aws(sagemaker.REGION)
    since = time.time() - 120
    for variant, values in {"a": (100, 3), "b": (10, 0)}.items():
        dimensions = [{"Name": "EndpointName", "Value": "it"}, {"Name": "VariantName", "Value": variant}]
        for metric, value in zip(("Invocations", "Invocation5XXErrors"), values, strict=True):
            data = [{"MetricName": metric, "Dimensions": dimensions, "Value": value}]
            aws.call("cloudwatch", "put_metric_data", Namespace="AWS/SageMaker", MetricData=data)
    a, b, c = canary.read_traffic(aws, "it", ["a", "b", "c"], since)
    assert (a.requests, a.failed, b.requests, b.failed, c.requests) == (100, 3, 10, 0, 0)
    asked = next(arguments for action, arguments in account.calls if action == "cloudwatch:GetMetricData")
    assert {q["MetricStat"]["Stat"] for q in asked["MetricDataQueries"]} == {"Sum", "p95"}
    assert all(q["MetricStat"]["Period"] % 60 == 0 for q in asked["MetricDataQueries"])


def test_the_95th_percentile_is_cloudwatchs():
    found = {"requests0": [60.0, 40.0], "failed0": [1.0], "p950": [20_000.0, 30_000.0]}
    assert canary._as_traffic(found, 0).p95 == pytest.approx(0.03)
    assert canary._as_traffic({"requests0": [3.0]}, 0).p95 is None


# What is checked before SageMaker is asked


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("endpoint", "Sentiment"),
        ("endpoint", "-sentiment"),
        ("endpoint", "s" * 33),
        ("role", "sentiment-endpoint"),
        ("role", "arn:aws:iam::123:role/it"),
        ("region", "Frankfurt"),
        ("repository", "sentiment"),
        ("instance_type", "m5.large"),
        ("tokens_file", "tokens"),
    ],
)
def test_a_wrong_setting_is_refused(key, value):
    with pytest.raises(ValidationError, match=key):
        SageMakerDeployerConfig(**{**sagemaker.SETTINGS, key: value})


def test_the_longest_names_fit(account):
    sagemaker.put_image("v12345678901-abc")
    deployer = sagemaker.deployer(endpoint="s" * 32)
    deploy(deployer, "12345678901")
    deployer.discard(deployer.start(described("12345678901")))
    names = {v for action, given in account.calls for k, v in given.items() if k.endswith("Name") and "Model" in k}
    assert names
    assert all(len(f"{name}-trial") <= 63 for name in names)


@pytest.mark.parametrize(
    ("settings", "mode", "words"),
    [
        ({}, "shadow", "sentiment_sagemaker has no shadow"),
        ({"repository": f"{sagemaker.REPOSITORY}-typo"}, "switch", "there is no ECR repository sentiment-typo"),
        ({"repository": f"210987654321{sagemaker.REPOSITORY[12:]}"}, "switch", "the keys are for 123456789012"),
        ({"instance_type": "ml.p9.huge"}, "switch", "there is no ml.p9.huge in eu-central-1"),
    ],
)
def test_what_cannot_work_is_one_line_before_anything_is_built(settings, mode, words, account):
    with pytest.raises(UserError, match=words) as caught:
        sagemaker.deployer(**settings).preflight(mode)
    assert "\n" not in str(caught.value)
    assert not [action for action in account.actions if "Create" in action]


def test_everything_in_place_passes_and_ec2_need_not_be_allowed(deployer, account):
    deployer.preflight("canary")
    account.refuse("DescribeInstanceTypeOfferings", "UnauthorizedOperation")
    deployer.preflight("canary")


def test_an_endpoint_of_others_is_never_touched(deployer, account):
    aws = Aws(sagemaker.REGION)
    model = {"ModelName": "m", "ExecutionRoleArn": sagemaker.ROLE, "PrimaryContainer": {"Image": "theirs"}}
    aws.call("sagemaker", "create_model", **model)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    aws.call("sagemaker", "create_endpoint_config", EndpointConfigName="theirs", ProductionVariants=[variant])
    aws.call("sagemaker", "create_endpoint", EndpointName="sentiment", EndpointConfigName="theirs")
    account.calls.clear()
    for act in (deployer.live, deployer.stop, lambda: deployer.preflight("switch")):
        with pytest.raises(UserError, match="an endpoint sentiment that this project did not create"):
            act()
    with pytest.raises(UserError, match="did not create"):
        deployer.start(described("1"))
    assert not [action for action in account.actions if "Delete" in action or "Update" in action]


def test_an_image_that_is_missing_after_the_push_is_one_line(deployer, account, monkeypatch):
    from serving.sagemaker import images

    pushed = []
    monkeypatch.setattr(images, "find_engine", lambda: None)
    monkeypatch.setattr(images, "build_image", lambda tag, base, engine: pushed.append(tag))
    monkeypatch.setattr(images, "push_image", lambda engine, image, target, token: pushed.append(target))
    with pytest.raises(UserError, match="has no image v9-abc after the push"):
        deployer.start(described("9"))
    assert pushed == ["sentiment:v9-abc", f"{sagemaker.REPOSITORY}:v9-abc"]
    assert account.backend._models == {}


# Bad days


def test_a_container_that_fails_its_health_check_leaves_the_live_version(deployer, account):
    deploy(deployer, "1")
    account.failing = "The primary container did not pass the ping health check.\nPlease check CloudWatch logs."
    with pytest.raises(NotStartedError, match="did not pass the ping health check") as caught:
        deployer.start(described("2"))
    assert "aws logs tail --region eu-central-1 /aws/sagemaker/Endpoints/sentiment" in str(caught.value)
    assert "\n" not in str(caught.value)
    live = deployer.live()
    assert (live.bento.version, live.healthy) == ("1", True)
    assert left(account) == (["1"], ["1"])


def test_a_first_container_that_fails_leaves_no_endpoint(deployer, account):
    account.failing = "The image does not exist."
    with pytest.raises(NotStartedError, match="The image does not exist"):
        deployer.start(described("1"))
    assert account.backend.endpoints == {}
    assert left(account) == ([], [])


def test_missing_capacity_is_not_the_versions_fault(deployer, account):
    deploy(deployer, "1")
    account.failing = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
    with pytest.raises(UserError, match="Try later, or set another instance_type") as caught:
        deployer.start(described("2"))
    assert not isinstance(caught.value, NotStartedError)  # the loop would revert the promotion
    assert left(account) == (["1"], ["1"])


@pytest.mark.parametrize("moment", ["CreateEndpointConfig", "CreateEndpoint", "AddTags"])
def test_the_next_deployment_cleans_up_a_half_created_endpoint(moment, account):
    killed = sagemaker.deployer()
    account.refuse(moment, "AccessDeniedException")
    with pytest.raises(UserError):
        deploy(killed, "1")
    account.accept()
    assert sagemaker.deployer().live() is None
    live = deploy(sagemaker.deployer(), "2")
    assert live.bento.version == "2"
    assert left(account) == (["2"], ["2"])


def test_the_next_deployment_ends_the_trial_of_a_killed_one(account):
    deploy(sagemaker.deployer(), "1")
    killed = sagemaker.deployer()
    killed._route(killed.start(described("2")), 20)
    assert sagemaker.deployer().live().bento.version == "1"
    deploy(sagemaker.deployer(), "3")
    assert weights(account) == {"sentiment-v3": 1}
    assert left(account) == (["3"], ["3"])


def test_a_switch_that_was_killed_after_the_traffic_had_moved_counts(account):
    deploy(sagemaker.deployer(), "1")
    killed = sagemaker.deployer()
    killed._route(killed.start(described("2")), 100)
    another = sagemaker.deployer()
    live = another.live()
    assert (live.bento.version, live.run, live.since[-6:]) == ("2", "", "+00:00")
    third = another.start(described("3"))
    another._route(third, 60)  # a large share is not a switch
    assert another.live().bento.version == "2"
    another.discard(third)
    assert another.live().bento.version == "2"
    assert left(account) == (["2"], ["2"])


BROKEN = "The rollback did not succeed."


@pytest.mark.parametrize("config_of_live", [True, False])
def test_an_endpoint_that_fails_during_an_update_is_created_again_for_the_live_version(
    config_of_live, deployer, account, caplog
):
    live = deploy(deployer, "1")
    if not config_of_live:  # the failed endpoint's own describes it, too
        account.refuse("DeleteEndpointConfig", "AccessDeniedException")
    account.breaking = BROKEN
    with pytest.raises(UserError, match=BROKEN):
        deployer.start(described("2"))
    account.accept()
    restored = sagemaker.deployer().live()
    assert (restored.service, restored.run, restored.since, restored.healthy) == (
        live.service, "deploy-1", live.since, True
    )  # fmt: skip
    assert weights(account) == {"sentiment-v1": 1}
    assert f"is Failed ({BROKEN}): the service is down until {live.service} has started again" in caplog.text
    account.breaking = ""
    assert deploy(sagemaker.deployer(), "3").bento.version == "3"
    assert left(account) == (["3"], ["3"])


def test_a_failed_endpoint_still_names_its_live_version_and_the_next_deployment_restores_it(deployer, account):
    deploy(deployer, "1")
    endpoint(account).endpoint_status, endpoint(account).production_variants = "OutOfService", []
    live = sagemaker.deployer().live()
    assert (live.bento.version, live.healthy, live.facts["status"]) == ("1", False, "OutOfService")
    service = deployer.start(described("2"))
    assert weights(account) == {"sentiment-v1": 1, "sentiment-v2": 0}
    deployer.discard(service)


def test_a_live_version_that_does_not_start_again_is_not_the_fault_of_the_new_one(deployer, account):
    deploy(deployer, "1")
    endpoint(account).endpoint_status, account.failing = "Failed", "The image does not exist."
    with pytest.raises(UserError, match=r"The image does not exist\.; the service is down") as caught:
        deployer.start(described("2"))
    assert not isinstance(caught.value, NotStartedError)  # the loop would reject version 2
    assert "python run.py stop" in caught.value.remedy
    assert left(account) == (["1"], ["1"])  # to try again
    account.failing = ""
    assert deploy(deployer, "2").bento.version == "2"


def test_the_trial_of_a_killed_deployment_that_cannot_end_does_not_blame_the_new_version(account):
    deploy(sagemaker.deployer(), "1")
    sagemaker.deployer().start(described("2"))
    account.failing = "Internal error."
    with pytest.raises(UserError, match="Internal error") as caught:
        sagemaker.deployer().start(described("3"))
    assert not isinstance(caught.value, NotStartedError)


def test_an_endpoint_with_instances_of_two_versions_is_not_healthy_and_not_deployed_to(deployer, account):
    deploy(deployer, "1")
    endpoint(account).endpoint_status = "UpdateRollbackFailed"
    assert not deployer.live().healthy
    with pytest.raises(UserError, match=r"is UpdateRollbackFailed .*: it serves with instances of two versions"):
        deployer.start(described("2"))
    assert weights(account) == {"sentiment-v1": 1}


def test_weights_that_sagemaker_undoes_are_one_line_and_the_old_version_stays(deployer, account):
    deploy(deployer, "1")
    service, account.heavy = deployer.start(described("2")), True
    with pytest.raises(UserError, match=r"did not move the traffic .* 100%, sentiment-v2-.* 0%"):
        deployer.switch(service, run="r")
    assert not deployer.is_live(service)
    deployer.discard(service)
    assert deployer.live().bento.version == "1"


def test_keys_that_expire_after_the_traffic_moved_leave_the_new_version_live(account, monkeypatch, caplog):
    deploy(sagemaker.deployer(), "1")
    deployer = sagemaker.deployer()
    service, route = deployer.start(described("2")), deployer._route

    def expire(*arguments):
        route(*arguments)
        account.refuse("*", "ExpiredTokenException")

    monkeypatch.setattr(deployer, "_route", expire)
    live = deployer.switch(service, run="deploy-2")
    assert (live.bento.version, live.run, live.healthy) == ("2", "deploy-2", True)
    assert live.facts["cost"] == "$1.00 an hour (2 x $0.5)"
    assert "the previous version is not removed yet, and still costs money" in caplog.text
    account.accept()
    deployer.lock("testing").close()  # it is free
    assert sagemaker.deployer().live().bento.version == "2"
    assert deploy(sagemaker.deployer(), "3").bento.version == "3"
    assert left(account) == (["3"], ["3"])


def test_a_start_that_is_cut_short_says_what_is_left_and_what_ends_it(deployer, account, monkeypatch, caplog):
    deploy(deployer, "1")
    settle, errors = type(deployer._endpoint).settle, iter([AwsError("no answer", remedy="Wait."), KeyboardInterrupt()])

    def cut_short(endpoint, **options):
        if "created" in options:  # after the update
            raise next(errors)
        return settle(endpoint)

    words = "-.* is perhaps still in the endpoint sentiment beside sentiment-v1-.* costs money"
    monkeypatch.setattr(type(deployer._endpoint), "settle", cut_short)
    monkeypatch.setattr(type(deployer), "_clean_up", lambda _: deployer._endpoint.read().live)
    with pytest.raises(UserError, match=f"no answer; sentiment-v2{words}") as caught:
        deployer.start(described("2"))
    assert "Wait. Then run the command again: it cleans up and continues." in str(caught.value)
    with pytest.raises(KeyboardInterrupt):
        deployer.start(described("3"))
    assert re.search(f"sentiment-v3{words}.*run the command again", caplog.text)


def test_what_was_just_created_may_take_a_moment_to_be_found(deployer, account):
    account.refuse("CreateEndpointConfig", sagemaker.MISSING, times=2)
    account.refuse("CreateEndpoint", sagemaker.MISSING, times=2)
    assert deploy(deployer, "1").bento.version == "1"
    account.refuse("ListTags", sagemaker.MISSING, times=1)
    assert deployer.live() is None  # deleted between two calls
    deployer.stop()
    create = account.backend.create_endpoint

    def created(_, **arguments):
        account.refuse("DescribeEndpoint", sagemaker.MISSING, times=2)
        return create(**arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(account.backend), "create_endpoint", created)
        assert deploy(deployer, "2").bento.version == "2"


@pytest.fixture
def no_pauses(monkeypatch):
    pauses = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    return pauses


def test_throttling_is_waited_for(deployer, account, no_pauses):
    account.refuse("CreateModel", "ThrottlingException", times=3)
    assert deploy(deployer, "1").bento.version == "1"
    assert len(no_pauses) == 3


def test_lasting_throttling_is_one_line(deployer, account, no_pauses):
    account.refuse("CreateModel", "ThrottlingException")
    with pytest.raises(AwsError, match="sagemaker:CreateModel is throttled at every attempt") as caught:
        deployer.start(described("1"))
    assert "continues from what is there" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(no_pauses) == 5


def test_expired_keys_during_a_canary_say_what_is_left_and_the_next_deployment_continues(account, answers, monkeypatch):
    deploy(sagemaker.deployer(), "1")
    deployer = sagemaker.deployer()
    live, service = deployer.live(), deployer.start(described("2"))

    def expire(*_):
        account.refuse("*", "ExpiredTokenException")
        raise AwsError("the keys have expired", remedy="Get new ones.")

    monkeypatch.setattr(canary, "read_traffic", expire)
    with pytest.raises(AwsError, match=r"the keys have expired \(ExpiredTokenException\)"):
        deployer.compare(service, live, KNOWN, CANARY)
    assert not deployer.is_live(service)
    with pytest.raises(UserError) as caught:
        deployer.discard(service)
    assert f"{service.variant} is perhaps still in the endpoint sentiment beside {live.service}" in str(caught.value)
    assert "Get new ones, and run the command again: it cleans up and continues." in str(caught.value)
    assert "\n" not in str(caught.value)
    account.accept()
    assert sagemaker.deployer().live().bento.version == "1"
    assert deploy(sagemaker.deployer(), "3").bento.version == "3"
    assert left(account) == (["3"], ["3"])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "may not call sagemaker:DescribeEndpoint"),
        ("UnrecognizedClientException", "the keys are not accepted"),
        ("ResourceLimitExceeded", "quota is too small"),
    ],
)
def test_a_refusal_of_aws_is_one_line_with_a_remedy(code, words, deployer, account):
    account.refuse("DescribeEndpoint", code)
    with pytest.raises(AwsError, match=words) as caught:
        deployer.live()
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


def test_without_keys_there_is_one_line(account, monkeypatch):
    deployer = sagemaker.deployer()
    monkeypatch.setattr(Aws, "client", sagemaker.make_client)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AwsError, match="there are no AWS keys"):
        deployer.live()


@pytest.mark.parametrize(
    ("name", "facts", "words"),
    [
        ("UnauthorizedSSOTokenError", {}, "have expired"),
        ("SSOTokenLoadError", {"error_msg": "x"}, "have expired"),
        ("TokenRetrievalError", {"provider": "sso", "error_msg": "x"}, "have expired"),
        ("LoginRefreshRequired", {}, "have expired"),
        ("CredentialRetrievalError", {"provider": "sso", "error_msg": "x"}, "have expired"),
        ("ProfileNotFound", {"profile": "p"}, "there are no AWS keys"),
        ("EndpointConnectionError", {"endpoint_url": "u"}, "got no answer"),
    ],
)
def test_keys_that_botocore_cannot_get_have_their_own_remedy(name, facts, words):
    error = explain(getattr(botocore.exceptions, name)(**facts), "sagemaker:It")
    assert words in error.what
    assert not error.what.endswith(".")
    assert ("network" in error.remedy) == (words == "got no answer")


def test_an_answer_that_breaks_off_is_one_line(account, monkeypatch):
    class Broken:
        def read(self):
            raise botocore.exceptions.ReadTimeoutError(endpoint_url="u")

    class Client:
        def invoke_endpoint(self, **_):
            return {"Body": Broken()}

    monkeypatch.setattr(Aws, "client", lambda *_: Client())
    with pytest.raises(AwsError, match="sagemaker:InvokeEndpoint got no answer"):
        Aws(sagemaker.REGION).call("sagemaker-runtime", "invoke_endpoint")


def test_a_change_that_does_not_end_is_one_line(deployer, account):
    deploy(deployer, "1")
    endpoint(account).endpoint_status = "Updating"
    assert deployer.live().healthy  # it serves meanwhile
    impatient = sagemaker.deployer()
    impatient.config.__dict__["start_timeout"] = -1
    with pytest.raises(UserError, match="is Updating for longer than"):
        impatient.start(described("2"))


def test_two_deployments_on_one_machine_are_kept_apart(deployer):
    deployer.start(described("1"))
    with pytest.raises(UserError, match="is busy"):
        deployer.start(described("2"))
