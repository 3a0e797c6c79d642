"""An account of AWS in this process: moto, with what it does not do, and a forwarder to the real service.

moto 5.2 has no ``update_endpoint``, accepts a second endpoint of the same name, and never fails to start one.
"""

import io
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import botocore.client
import httpx
import pytest
from botocore.awsrequest import AWSResponse

REGION, ACCOUNT = "eu-central-1", "123456789012"
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sentiment"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sentiment-endpoint"
SETTINGS = {"region": REGION, "role": ROLE, "repository": REPOSITORY, "price_per_hour": 0.5, "metrics_delay": 0}
_CLIENTS = {}  # by service: to make one takes a second
MISSING = "ValidationException"  # SageMaker's code of what is not there
ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"


def make_client(aws, service):
    """Makes a client that no other test uses."""
    from botocore.session import Session

    return Session().create_client(service, region_name=aws._region)


class Account:
    """What tests read and break.

    Attributes:
        calls: Every call of AWS: its action as a policy names it, and its arguments.
        failing: Why the next variant does not start; empty if it does.
        breaking: Why the next update leaves the endpoint Failed, which then has no variants; empty if it does not.
        heavy: Whether a change of weights is undone.
    """

    def __init__(self):
        self.calls, self.failing, self.breaking, self.heavy = [], "", "", False
        self._refusals = {}

    @property
    def actions(self):
        return {action for action, _ in self.calls}

    def refuse(self, operation, code, times=10**6):
        """Lets a call, such as ``CreateModel`` or ``*``, fail with a code of AWS, before anything is done."""
        self._refusals[operation] = [code, times]

    def accept(self):
        self._refusals.clear()

    def refusal(self, operation):
        for name in (operation, "*"):
            found = self._refusals.get(name)
            if found and found[1] > 0:
                found[1] -= 1
                return found[0]
        return None

    @property
    def backend(self):
        from moto.sagemaker.models import sagemaker_backends

        return sagemaker_backends[ACCOUNT][REGION]


class _Raw(io.BytesIO):
    def stream(self, **_):
        yield self.read()


@contextmanager
def account():
    """An empty account with the ECR repository; time does not pass between two looks at an endpoint."""
    from moto import mock_aws

    from serving.sagemaker.aws import Aws

    ours = Account()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
            patch.setenv(name, value)
        patch.setattr("serving.sagemaker.endpoint.POLL_S", 0)
        _correct_endpoints(patch, ours)
        _record_and_refuse(patch, ours)
        Aws(REGION).client("ecr").create_repository(repositoryName="sentiment")
        ours.calls.clear()
        yield ours


def _correct_endpoints(patch, ours):
    """Lets moto's endpoints behave as SageMaker's: names are unique, and a change fails or serves at once."""
    from moto.core.responses import ActionResult
    from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend
    from moto.sagemaker.responses import SageMakerResponse

    create, weigh = SageMakerModelBackend.create_endpoint, SageMakerModelBackend.update_endpoint_weights_and_capacities

    def create_endpoint(backend, endpoint_name, endpoint_config_name, tags):
        assert endpoint_name not in backend.endpoints, "SageMaker refuses a second endpoint of the same name"
        made = create(backend, endpoint_name, endpoint_config_name, tags)
        made.endpoint_status, made.failure_reason = ("Failed", ours.failing) if ours.failing else ("InService", None)
        return made

    def update_endpoint(response):
        backend, asked = response.sagemaker_backend, response._get_param
        endpoint = backend.endpoints[asked("EndpointName")]
        config = backend.endpoint_configs[asked("EndpointConfigName")]
        assert endpoint.endpoint_status == "InService", "SageMaker changes no endpoint that failed or is changing"
        assert endpoint.endpoint_config_name != config.endpoint_config_name
        endpoint.failure_reason = ours.failing or ours.breaking or None
        if ours.breaking:
            endpoint.endpoint_status, endpoint.production_variants = "Failed", []
        elif not ours.failing:  # otherwise SageMaker returns to what ran before
            endpoint.endpoint_config_name = config.endpoint_config_name
            endpoint.production_variants = FakeEndpoint._process_production_variants(
                endpoint, config.production_variants
            )
        return ActionResult({"EndpointArn": endpoint.arn})

    def update_weights(backend, endpoint_name, desired_weights_and_capacities):
        endpoint = backend.endpoints[endpoint_name]
        if ours.heavy:
            return endpoint.arn
        counts = {v["VariantName"]: v["CurrentInstanceCount"] for v in endpoint.production_variants}
        arn = weigh(backend, endpoint_name, desired_weights_and_capacities)
        for variant in endpoint.production_variants:
            variant["CurrentInstanceCount"] = variant["DesiredInstanceCount"] = counts[variant["VariantName"]]
        endpoint.endpoint_status = "InService"
        return arn

    patch.setattr(SageMakerModelBackend, "create_endpoint", create_endpoint)
    patch.setattr(SageMakerModelBackend, "update_endpoint_weights_and_capacities", update_weights)
    patch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)


def _record_and_refuse(patch, ours):
    from moto.core.botocore_stubber import BotocoreStubber

    from serving.sagemaker.aws import Aws

    call, original, stub = botocore.client.BaseClient._make_api_call, Aws.client, BotocoreStubber.__call__

    def record(client, operation, arguments):
        name = client.meta.service_model.signing_name
        ours.calls.append((f"{'cloudwatch' if name == 'monitoring' else name}:{operation}", arguments))
        return call(client, operation, arguments)

    def answer(stubber, event_name, request, **more):
        operation = event_name.rpartition(".")[2]
        code, is_ec2 = ours.refusal(operation), ".ec2." in event_name
        if code:
            page = json.dumps({"__type": code, "message": "Could not find it" if code == MISSING else "no"})
            if is_ec2:
                page = f"<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>"
            return AWSResponse(request.url, 400, {}, _Raw(page.encode()))
        if operation == "DescribeInstanceTypeOfferings":  # moto reads files for ten seconds
            items = "<item><instanceType>m5.large</instanceType></item>" if "m5.large" in str(request.body) else ""
            page = f"<Response><instanceTypeOfferingSet>{items}</instanceTypeOfferingSet></Response>"
            return AWSResponse(request.url, 200, {}, _Raw(page.encode()))
        return stub(stubber, event_name, request, **more)

    def client_of(aws, service):
        if service == "sagemaker-runtime":  # a test may change its address
            return original(aws, service)
        if service not in _CLIENTS:
            _CLIENTS[service] = original(aws, service)
        return _CLIENTS[service]

    patch.setattr(botocore.client.BaseClient, "_make_api_call", record)
    patch.setattr(BotocoreStubber, "__call__", answer)
    patch.setattr(Aws, "client", client_of)


def put_image(tag):
    """Puts an image into ECR, as a push would."""
    from serving.sagemaker.aws import Aws

    layer = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 1,
        "digest": f"sha256:{uuid4().hex}",
    }
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": layer, "layers": []})
    Aws(REGION).client("ecr").put_image(repositoryName="sentiment", imageManifest=manifest, imageTag=tag)


def deployer(**settings):
    """A model deployer without a stack."""
    from datetime import UTC, datetime

    from zenml.enums import StackComponentType

    from serving.sagemaker.config import SageMakerDeployerConfig
    from serving.sagemaker.deployer import SageMakerDeployer

    now = datetime.now(UTC)
    config = SageMakerDeployerConfig(**{**SETTINGS, **settings})
    return SageMakerDeployer(
        name="it", id=uuid4(), config=config, flavor="sentiment_sagemaker", type=StackComponentType.MODEL_DEPLOYER,
        user=None, created=now, updated=now,
    )  # fmt: skip


@contextmanager
def forwarder(service):
    """SageMaker's data path: passes requests to ``/endpoints/NAME/invocations`` on to the service's ``/invocations``.

    Args:
        service: Address of the service over HTTP.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            _, _, name, last = self.path.split("/")
            assert (name, last) == ("sentiment", "invocations")
            passed = {key: self.headers[key] for key in ("content-type", "accept") if self.headers[key]}
            got = httpx.post(f"{service}/invocations", content=body, headers=passed)
            if got.status_code == 200:
                headers = {"content-type": got.headers["content-type"]}
                headers["x-amzn-invoked-production-variant"] = self.headers["x-amzn-sagemaker-target-variant"]
                headers[ATTRIBUTES] = got.headers[ATTRIBUTES]
                self._send(200, got.content, headers)
            else:
                error = {
                    "OriginalStatusCode": got.status_code,
                    "OriginalMessage": got.text,
                    "Message": "from the model",
                }
                self._send(424, httpx.Response(200, json=error).content, {"x-amzn-errortype": "ModelError"})

        def _send(self, status, body, headers):
            self.send_response(status)
            for key, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"http://127.0.0.1:{server.server_port}")
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
