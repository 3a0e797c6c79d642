"""Calls of AWS: every one goes through ``Aws.call``, which explains a failure in one line."""

from __future__ import annotations

from typing import Any

from sentiment.errors import UserError, first_line

ATTEMPTS = 6  # in botocore's standard mode: with jitter, at most 20 s apart
CONNECT_S, ANSWER_S = 10, 70  # SageMaker gives a container 60 s to answer
AGAIN = "run the command again: it continues from what is there"

EXPIRED = {
    "ExpiredToken", "ExpiredTokenException", "RequestExpired",
    # Classes of botocore, some of which older versions do not have:
    "CredentialRetrievalError", "LoginRefreshRequired", "SSOTokenLoadError", "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}  # fmt: skip
MISSING_KEYS = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}  # classes of botocore
UNKNOWN_KEYS = {
    "AuthFailure", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
THROTTLED = {"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"}


class AwsError(UserError):
    """A call that AWS refused, or did not answer.

    Attributes:
        code: AWS's code; empty if there was no answer.
        response: AWS's answer.
    """

    def __init__(self, what: str, *, remedy: str, code: str = "", response: dict[str, Any] | None = None) -> None:
        super().__init__(what, where="AWS", remedy=remedy)
        self.code, self.response = code, response or {}


class Aws:
    """The services of one region, with the keys of the environment: variables, a profile, or the machine's role."""

    def __init__(self, region: str) -> None:
        """Reads no keys and calls nothing yet."""
        self._region = region
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  # AWS's own
        """Calls an operation; throttled and failed calls are repeated, except those of an endpoint's container.

        Args:
            service: boto3's name of the service, such as ``sagemaker``.
            operation: boto3's name of the operation, such as ``create_model``.
            **arguments: Of the operation.

        Raises:
            AwsError: If it fails.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self.client(service), operation)(**arguments)
            if "Body" in answer:  # it arrives while it is read
                answer["Body"] = answer["Body"].read()
        except (BotoCoreError, ClientError) as error:
            action = f"{service.partition('-')[0]}:{''.join(part.title() for part in operation.split('_'))}"
            raise explain(error, action) from error
        return answer

    def client(self, service: str) -> Any:  # noqa: ANN401  # botocore makes its classes when it runs
        """Returns botocore's client of a service, the one that boto3 would return."""
        from botocore.config import Config
        from botocore.session import Session

        if service not in self._clients:
            attempts = 1 if service == "sagemaker-runtime" else ATTEMPTS  # a test must see every failure
            config = Config(
                region_name=self._region,
                connect_timeout=CONNECT_S,
                read_timeout=ANSWER_S,
                retries={"mode": "standard", "total_max_attempts": attempts},
            )
            if self._session is None:
                self._session = Session()
            self._clients[service] = self._session.create_client(service, config=config)
        return self._clients[service]


def explain(error: Exception, action: str) -> AwsError:
    """Explains a failed call.

    Args:
        error: Of botocore.
        action: The call as a policy names it.
    """
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        name, line = type(error).__name__, first_line(error).rstrip(".")
        if name in MISSING_KEYS:
            return AwsError(f"there are no AWS keys: {line}", remedy="Set AWS_PROFILE, or log in (aws sso login).")
        if name in EXPIRED:
            return AwsError(f"the keys have expired: {line}", remedy=f"Log in (aws sso login), and {AGAIN}.")
        return AwsError(f"{action} got no answer: {line}", remedy=f"Check the network, and {AGAIN}.")
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = first_line(Exception(error.response.get("Error", {}).get("Message", ""))).rstrip(".")
    if code in EXPIRED:
        what, remedy = f"the keys have expired ({code})", f"Get new ones, and {AGAIN}."
    elif code in UNKNOWN_KEYS:
        what, remedy = f"the keys are not accepted ({code})", "Check AWS_PROFILE or the variables AWS_*."
    elif code in DENIED:
        what, remedy = f"the keys may not call {action} ({code})", "Grant it: see deploy/sagemaker/."
    elif code in THROTTLED:
        what, remedy = f"{action} is throttled at every attempt ({code})", f"Wait a few minutes, and {AGAIN}."
    elif code == "ResourceLimitExceeded":
        what = f"the account's quota is too small: {message}"
        remedy = "Ask for more in Service Quotas, or set another instance_type."
    else:
        what, remedy = f"{action} failed ({code}): {message}", f"Fix that, and {AGAIN}."
    return AwsError(what, remedy=remedy, code=code, response=error.response)
