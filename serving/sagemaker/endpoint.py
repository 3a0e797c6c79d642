"""The endpoint at SageMaker with its models and configurations: their state, and every change of it.

SageMaker holds the only record: another machine continues where a killed one stopped. Tags say which resources are
ours. The endpoint's tags name the live variant; a variant has the name of its model, and the model's tags describe
the Bento.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from sentiment import progress
from sentiment.deployment import Bento
from sentiment.errors import UserError
from serving.sagemaker.aws import AGAIN, Aws, AwsError
from serving.sagemaker.config import MAX_NAME
from serving.service import NotStartedError

if TYPE_CHECKING:
    from serving.sagemaker.config import SageMakerDeployerConfig

POLL_S = 10.0
MAX_SEARCHES = 4  # SageMaker may not find immediately what was just created
OWNER = "sentiment:endpoint"  # tag of everything that is ours; its value is the endpoint's name
BENTO, MODEL, VERSION, SETTINGS, LABEL = (
    f"sentiment:{name}" for name in ("bento", "model", "version", "settings", "label:")
)
LIVE, SINCE, RUN = (f"sentiment:{name}" for name in ("live", "since", "run"))
TAG_VALUE = re.compile(r"[\w\s.:/=+@-]{0,256}")  # as AWS accepts it
SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack"}  # the endpoint answers
BROKEN = {"Failed", "OutOfService"}  # it does not answer, and can only be deleted
MIXED = "UpdateRollbackFailed"  # it answers, with instances of two configurations
CHANGING = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
NO_CAPACITY = "Unable to provision requested ML compute capacity"  # beginning of SageMaker's reason


class NoCapacityError(UserError):
    """AWS has no free instances of the type: the version is not the cause."""


@dataclass(frozen=True)
class State:
    """The state of the endpoint.

    Attributes:
        status: SageMaker's, such as ``InService``.
        reason: Why it failed, if it did.
        config: Name of its configuration.
        arn: Its ARN.
        weights: Shares of the traffic by variant, not normalised.
        instances: Instances by variant.
        tags: Its tags.
        changed: When it was changed last, ISO 8601 in UTC.
    """

    status: str
    reason: str
    config: str
    arn: str
    weights: dict[str, float]
    instances: dict[str, int]
    tags: dict[str, str]
    changed: str

    @property
    def live(self) -> str | None:
        """The live variant; None if none ever went live.

        A switch moves the traffic first and then the tag: after an interrupted one, the weights are right. An endpoint
        that failed may have no weights.
        """
        tagged = self.tags.get(LIVE)
        if tagged is None or self.weights.get(tagged, 0) > 0 or not any(self.weights.values()):
            return tagged
        return max(self.weights, key=lambda name: self.weights[name], default=None)

    @property
    def shares(self) -> dict[str, float]:
        """Shares of the traffic by variant, in percent."""
        total = sum(self.weights.values()) or 1.0
        return {name: 100 * weight / total for name, weight in self.weights.items()}


class Endpoint:
    """The endpoint of a deployer."""

    def __init__(self, aws: Aws, config: SageMakerDeployerConfig) -> None:
        """Calls nothing yet."""
        self._aws, self._config = aws, config
        self.name = config.endpoint

    def read(self) -> State | None:
        """Reads the state; None if there is no endpoint.

        Raises:
            UserError: If an endpoint of this name is not ours.
        """
        try:
            found = self._aws.call("sagemaker", "describe_endpoint", EndpointName=self.name)
            tags = self._tags(found["EndpointArn"])
        except AwsError as error:
            if _is_missing(error):  # perhaps since the first of the two calls
                return None
            raise
        if tags.get(OWNER) != self.name:
            raise UserError(
                f"there is an endpoint {self.name} that this project did not create",
                where=f"SageMaker in {self._config.region}",
                remedy="Give the model deployer another endpoint in the stack file.",
            )
        variants = found.get("ProductionVariants") or []  # none while it is created
        return State(
            status=found["EndpointStatus"],
            reason=str(found.get("FailureReason") or ""),
            config=found.get("EndpointConfigName", ""),
            arn=found["EndpointArn"],
            weights={v["VariantName"]: float(v.get("CurrentWeight") or 0) for v in variants},
            instances={v["VariantName"]: int(v.get("CurrentInstanceCount") or 0) for v in variants},
            tags=tags,
            changed=found["LastModifiedTime"].astimezone(UTC).isoformat(timespec="seconds"),
        )

    def settle(self, *, created: bool = False) -> State | None:
        """Waits until SageMaker has finished a change; returns the state then.

        Args:
            created: Whether the endpoint was just created, so that SageMaker may not find it immediately.

        Raises:
            UserError: If that takes longer than ``start_timeout``.
        """
        start, limit = time.monotonic(), self._config.start_timeout
        for _ in range(MAX_SEARCHES if created else 0):
            if self.read():
                break
            time.sleep(POLL_S)
        while (state := self.read()) and state.status in CHANGING:
            waited = time.monotonic() - start
            if waited > limit:
                raise UserError(
                    f"is {state.status} for longer than {limit:,} s (start_timeout)",
                    where=f"endpoint {self.name}",
                    remedy=f"Wait until it has settled, and {AGAIN}.",
                )
            progress.report(f"endpoint is {state.status}", waited, limit)
            time.sleep(POLL_S)
        return state

    def create_model(self, bento: Bento, image: str) -> str:
        """Creates a model with the Bento in its tags; returns its name, which becomes that of its variant."""
        version = re.sub(r"[^a-z0-9]+", "-", bento.version.lower()).strip("-")[:10]
        name = f"{self.name}-v{version}-{uuid.uuid4().hex[:8]}"
        labels = {f"{LABEL}{key}": value for key, value in bento.labels.items()}
        tags = {BENTO: bento.tag, MODEL: bento.model, VERSION: bento.version, SETTINGS: self._config.fingerprint()}
        self._aws.call(
            "sagemaker",
            "create_model",
            ModelName=name,
            ExecutionRoleArn=self._config.role,
            PrimaryContainer={"Image": image, "Environment": self._config.environment()},
            Tags=self._owned({**{k: v for k, v in labels.items() if TAG_VALUE.fullmatch(v)}, **tags}),
        )
        return name

    def describe_model(self, variant: str) -> tuple[Bento, str]:
        """Returns the Bento of a variant, and the fingerprint of the settings that it was started with."""
        arn = self._aws.call("sagemaker", "describe_model", ModelName=variant)["ModelArn"]
        tags = self._tags(arn)
        labels = {key.removeprefix(LABEL): value for key, value in tags.items() if key.startswith(LABEL)}
        bento = Bento(tag=tags[BENTO], model=tags[MODEL], version=tags[VERSION], labels=labels)
        return bento, tags[SETTINGS]

    def run(self, *variants: str, live: str | None, tags: dict[str, str] | None = None) -> None:
        """Brings the endpoint to these variants, and waits until it serves; the first one gets the traffic.

        SageMaker keeps what runs until the new instances are healthy, and otherwise returns to it by itself.

        Args:
            *variants: One, or the live one and one on trial.
            live: The live variant, whose instances stay as they are; None if there is none.
            tags: Further tags of the endpoint, if it is created.

        Raises:
            NotStartedError: If a container is not healthy; what was live still is, unless the endpoint itself failed.
            NoCapacityError: If AWS has no free instances.
            UserError: If it takes too long, or the endpoint was deleted meanwhile.
        """
        state, config = self.read(), self._create_config(variants, live)
        arguments: dict[str, Any] = {"EndpointName": self.name, "EndpointConfigName": config}
        if state is None:
            self._call_until_found("create_endpoint", **arguments, Tags=self._owned(tags or {}))
        elif state.config != config:
            self._call_until_found("update_endpoint", **arguments)
        settled = self.settle(created=state is None)
        if settled is None:
            raise self.was_deleted()
        if settled.status == "InService" and settled.config == config:
            return
        reason = " ".join(settled.reason.split())
        where, what = f"endpoint {self.name}", f"{variants[-1]} did not start: {reason or 'SageMaker gives no reason'}"
        if reason.startswith(NO_CAPACITY):
            raise NoCapacityError(what, where=where, remedy="Try later, or set another instance_type.")
        logs = f"aws logs tail --region {self._config.region} /aws/sagemaker/Endpoints/{self.name}"
        raise NotStartedError(what, where=where, remedy=f"Its log: {logs}.")

    def recreate(self, live: str, state: State) -> None:
        """Creates the endpoint again with the live variant alone, as its own configuration describes it.

        Args:
            live: The live variant.
            state: Of the endpoint, which cannot be updated.

        Raises:
            NotStartedError: If its container is not healthy.
            NoCapacityError: If AWS has no free instances.
            UserError: If it takes too long, or it has no configuration.
        """
        self._create_config((live,), live)  # before the endpoint is deleted, which may have the only description
        self.delete()
        is_marked = state.tags.get(LIVE) == live
        since, run = (state.tags[SINCE], state.tags[RUN]) if is_marked else (state.changed, "")
        self.run(live, live=live, tags={LIVE: live, SINCE: since, RUN: run})

    def set_weights(self, weights: dict[str, float]) -> None:
        """Divides the traffic among the variants, and waits until that is so.

        Args:
            weights: Shares of the traffic by variant, whose sum is 1.

        Raises:
            UserError: If SageMaker returned to the former weights, or the endpoint was deleted meanwhile.
        """
        desired = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
        arguments = {"EndpointName": self.name, "DesiredWeightsAndCapacities": desired}
        self._aws.call("sagemaker", "update_endpoint_weights_and_capacities", **arguments)
        settled = self.settle()
        if settled is None:
            raise self.was_deleted()
        shares = settled.shares
        moved = all(abs(shares.get(name, 0) - 100 * weight) < 0.5 for name, weight in weights.items())
        if settled.status != "InService" or not moved:
            found = ", ".join(f"{name} {share:.0f}%" for name, share in shares.items())
            reason = " ".join(settled.reason.split()) or "SageMaker gives no reason"
            raise UserError(
                f"did not move the traffic ({reason}): it is {settled.status} with {found or 'no variant'}",
                where=f"endpoint {self.name}",
                remedy=f"See python run.py status, and {AGAIN}.",
            )

    def was_deleted(self) -> UserError:
        """Returns the error of an endpoint that another process or user deleted meanwhile."""
        return UserError("was deleted meanwhile", where=f"endpoint {self.name}", remedy="Deploy again.")

    def mark_live(self, state: State, variant: str, *, since: str, run: str) -> None:
        """Names the live variant in the endpoint's tags, all of them in one call."""
        tags = {LIVE: variant, SINCE: since, RUN: run if TAG_VALUE.fullmatch(run) else ""}
        self._aws.call("sagemaker", "add_tags", ResourceArn=state.arn, Tags=_as_list(tags))

    def delete(self) -> None:
        """Deletes the endpoint, once SageMaker allows it, and waits until it is gone."""
        if self.settle() is None:
            return
        try:
            self._aws.call("sagemaker", "delete_endpoint", EndpointName=self.name)
        except AwsError as error:
            if not _is_missing(error):
                raise
        self.settle()

    def delete_others(self, kept: str | None) -> bool:
        """Deletes our models and configurations except those of one variant alone; returns whether there were any."""
        found = False
        kinds = (
            ("endpoint_config", "EndpointConfig", kept and _config_name(kept)),
            ("model", "Model", kept),
        )
        for kind, word, spared in kinds:
            for item in self._list(kind, word):
                name = item[f"{word}Name"]
                if name == spared or self._tags(item[f"{word}Arn"]).get(OWNER) != self.name:
                    continue
                found = True
                self._aws.call("sagemaker", f"delete_{kind}", **{f"{word}Name": name})
        return found

    def _create_config(self, variants: tuple[str, ...], live: str | None) -> str:
        """Creates a configuration, unless it is there; the live variant keeps its instances."""
        name = _config_name(*variants)
        if self._describe_config(name) is None:
            kept = self._variant_of(live) if live in variants else {}
            new = {
                "InstanceType": self._config.instance_type,
                "InitialInstanceCount": self._config.instance_count,
            }
            described = [
                {
                    **(kept if v == live else new),
                    "VariantName": v,
                    "ModelName": v,
                    "InitialVariantWeight": float(i == 0),
                }
                for i, v in enumerate(variants)
            ]
            self._call_until_found(
                "create_endpoint_config",
                EndpointConfigName=name,
                ProductionVariants=described,
                Tags=self._owned({}),
            )
        return name

    def _call_until_found(self, operation: str, **arguments: Any) -> None:  # noqa: ANN401  # AWS's own
        """Calls an operation on what was just created, again while SageMaker does not find that."""
        for searches_left in reversed(range(MAX_SEARCHES)):
            try:
                self._aws.call("sagemaker", operation, **arguments)
                return
            except AwsError as error:
                if not searches_left or not _is_missing(error):
                    raise
                time.sleep(POLL_S)

    def _variant_of(self, live: str | None) -> dict[str, Any]:
        """Returns the live variant as the endpoint's configuration describes it."""
        state = self.read()
        config = self._describe_config(state.config) if state else None
        found = next((v for v in (config or {}).get("ProductionVariants", []) if v["VariantName"] == live), None)
        if found is None:
            raise UserError(
                f"its configuration has no variant {live}",
                where=f"endpoint {self.name}",
                remedy="Run python run.py stop, and deploy again.",
            )
        return dict(found)

    def _describe_config(self, name: str) -> dict[str, Any] | None:
        try:
            return self._aws.call("sagemaker", "describe_endpoint_config", EndpointConfigName=name)
        except AwsError as error:
            if _is_missing(error):
                return None
            raise

    def _list(self, kind: str, word: str) -> list[dict[str, Any]]:
        found, more = list[dict[str, Any]](), dict[str, str]()
        while True:
            page = self._aws.call("sagemaker", f"list_{kind}s", NameContains=self.name, **more)
            found += [item for item in page[f"{word}s"] if item[f"{word}Name"].startswith(f"{self.name}-")]
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}

    def _tags(self, arn: str) -> dict[str, str]:
        tags = self._aws.call("sagemaker", "list_tags", ResourceArn=arn, MaxResults=50)["Tags"]  # AWS allows 50
        return {tag["Key"]: tag["Value"] for tag in tags}

    def _owned(self, tags: dict[str, str]) -> list[dict[str, str]]:
        return _as_list({OWNER: self.name, **tags})


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _config_name(*variants: str) -> str:
    """Returns the name of the configuration of a variant alone, or of one on trial beside the live one."""
    name = f"{variants[-1]}-{'alone' if len(variants) == 1 else 'trial'}"
    assert len(name) <= MAX_NAME
    return name


def _is_missing(error: AwsError) -> bool:
    return error.code == "ValidationException" and "Could not find" in error.what
