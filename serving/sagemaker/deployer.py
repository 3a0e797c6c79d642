"""The model deployer ``sentiment_sagemaker``: Bentos as variants of one endpoint of Amazon SageMaker."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar, cast
from uuid import UUID

from zenml.model_deployers import BaseModelDeployerFlavor
from zenml.model_deployers.base_model_deployer import DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT
from zenml.services.service import BaseService, ServiceConfig

from sentiment.checks import CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.errors import UserError
from sentiment.monitoring.checks import Health
from serving.interface import RolloutDeployer
from serving.rollouts.canary import Traffic
from serving.rollouts.smoke import judge
from serving.sagemaker import canary
from serving.sagemaker.aws import AGAIN, Aws, AwsError
from serving.sagemaker.config import SageMakerDeployerConfig
from serving.sagemaker.endpoint import BROKEN, LIVE, MIXED, RUN, SERVING, SINCE, Endpoint, NoCapacityError, State
from serving.sagemaker.flavor import SageMakerDeployerFlavor
from serving.sagemaker.images import provide_image, require_repository
from serving.sagemaker.invoke import Variant, probe
from serving.service import NotStartedError

if TYPE_CHECKING:
    from serving.rollouts.settings import RolloutSettings, SmokeSettings
    from serving.rollouts.smoke_set import Known

WHERE = "model deployer"
CLEANS_UP = "run the command again: it cleans up and continues"
HEALTH_S = 24 * 3600  # of CloudWatch's figures in the status
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SageMakerService:
    """A variant on trial.

    Attributes:
        bento: The Bento that it serves.
        variant: Its name, and that of its model.
        live: The live variant beside it; None if there is none.
    """

    bento: Bento
    variant: str
    live: str | None


class SageMakerDeployer(RolloutDeployer[SageMakerService]):
    """Serves Bentos as variants of one endpoint, over HTTP alone: SageMaker passes no gRPC on, and has no shadow here.

    Both the live variant and the one on trial are part of the endpoint; weights divide the traffic. The state is
    SageMaker's, so another machine can continue. The lock is this machine's: of two machines that deploy to the same
    endpoint at the same time, one fails, and the live version stays.
    """

    NAME: ClassVar[str] = "Sentiment SageMaker"
    FLAVOR: ClassVar[type[BaseModelDeployerFlavor]] = SageMakerDeployerFlavor

    @property
    def config(self) -> SageMakerDeployerConfig:
        """Its configuration."""
        return cast(SageMakerDeployerConfig, self._config)

    @cached_property
    def aws(self) -> Aws:
        """The services of its region."""
        return Aws(self.config.region)

    def preflight(self, mode: str) -> None:
        """Checks the repository, the endpoint and the instance type, which AWS would refuse much later, or never.

        Raises:
            UserError: If one is wrong, or the mode is ``shadow``.
        """
        if mode == "shadow":
            raise UserError(
                "sentiment_sagemaker has no shadow",
                where=WHERE,
                remedy="Use switch or canary, or compare on a machine: --stack local.",
            )
        require_repository(self.aws, self.config)
        self._endpoint.read()
        self._require_instance_type()

    def start(self, bento: Bento) -> SageMakerService:
        """Starts a variant beside the live one, without traffic; the first one is an endpoint of its own.

        Raises:
            NotStartedError: If its container is not healthy; nothing is left of it, and what was live is live.
            UserError: If another deployment is under way here, or AWS refuses a call; names what is left.
        """
        lock = self.lock(f"deploying {bento.tag}")
        try:
            live = self._clean_up()
            image = provide_image(self.aws, self.config, bento)
            variant = self._endpoint.create_model(bento, image)
            try:
                self._endpoint.run(*filter(None, (live, variant)), live=live)
            except (NotStartedError, NoCapacityError) as error:
                try:
                    self._clean_up()
                except AwsError as second:
                    both = UserError(f"{error.what}; then {second.what}", where=error.where, remedy=second.remedy)
                    raise self._add_rest(both, variant, live) from error
                raise
            except UserError as error:
                raise self._add_rest(error, variant, live) from error
            except BaseException:
                logger.warning("%s: %s", self._describe_rest(variant, live), CLEANS_UP)
                raise
        except BaseException:
            lock.close()
            raise
        self._lock = lock
        return SageMakerService(bento, variant, live)

    def live(self) -> Deployment | None:
        """Returns the live deployment; healthy if the endpoint is in service with instances. No request is sent."""
        state = self._endpoint.read()
        if state is None or state.live is None:
            return None
        bento, _ = self._endpoint.describe_model(state.live)
        return self._deployment(bento, state.live, state)

    def is_up_to_date(self, live: Deployment) -> bool:
        """Whether the live variant was started with today's settings."""
        return self._endpoint.describe_model(live.service)[1] == self.config.fingerprint()

    def is_live(self, service: SageMakerService) -> bool:
        """Whether a variant receives the traffic; False if AWS does not say so."""
        try:
            state = self._endpoint.read()
        except AwsError:  # discard explains it
            return False
        return state is not None and state.live == service.variant

    def test(
        self,
        service: SageMakerService,
        known: Sequence[Known],
        settings: SmokeSettings,
        *,
        engine: str,
        threshold: float,
    ) -> CheckReport:
        """Runs the smoke test by requests to this variant alone, which pass through SageMaker."""
        texts, recorded = [k.text for k in known], [k.positive for k in known]
        seen = probe(self._variant(service.variant), service.bento, texts)
        checks = judge("SageMaker", seen, service.bento, recorded, settings, engine=engine, threshold=threshold)
        return CheckReport(suite="smoke", checks=tuple(checks))

    def compare(
        self, service: SageMakerService, live: Deployment, known: Sequence[Known], settings: RolloutSettings
    ) -> CheckReport:
        """Gives the variant a share of the traffic, compares CloudWatch's figures of both, and ends a failed one's."""
        names = (service.variant, live.service)

        def traffic(since: float) -> tuple[Traffic, Traffic]:
            ours, theirs = canary.read_traffic(self.aws, self.config.endpoint, names, since)
            return ours, theirs

        new, old = self._variant(service.variant), self._variant(live.service)
        routed = passed = False

        def route() -> None:
            nonlocal routed
            routed = True
            self._route(service, settings.share)

        try:
            delay = self.config.metrics_delay
            report = canary.watch_canary(route, traffic, new, old, known, settings, delay=delay)
            passed = report.passed
        finally:
            if routed and not passed:  # immediately: to remove it takes SageMaker minutes
                self._route(service, 0)
        return report

    def switch(self, service: SageMakerService, *, run: str) -> Deployment:
        """Moves all traffic to a variant, and then ends the previous one, which takes SageMaker minutes.

        Raises:
            UserError: If it cannot go live: the former variant is live then.
        """
        with self._locked(f"switching to {service.bento.tag}"):
            new, state = service.variant, self._endpoint.read()
            if state is None:
                raise self._endpoint.was_deleted()
            since = datetime.now(UTC).isoformat(timespec="seconds")
            mark = partial(self._endpoint.mark_live, state, new, since=since, run=run)
            if service.live:
                self._route(service, 100)
            else:
                mark()  # of the first version, the tag alone says that it is live
            shares = {**dict.fromkeys(state.weights, 0.0), new: 1.0}
            state = replace(state, weights=shares, tags=state.tags | {LIVE: new, SINCE: since, RUN: run})
            try:
                if service.live:
                    mark()
                self._endpoint.run(new, live=new)
                state = replace(state, weights={new: 1.0}, instances={new: state.instances.get(new, 0)})
                self._endpoint.delete_others(new)
            except Exception as error:  # it is live: the next deployment cleans up
                logger.warning("the previous version is not removed yet, and still costs money: %s", error)
            finally:
                self._release()
        return self._deployment(service.bento, new, state)  # not read again: the keys may have expired

    def discard(self, service: SageMakerService) -> None:
        """Ends a variant that did not go live, and removes it.

        Raises:
            UserError: If it is live, or AWS refuses a call; names what is left.
        """
        try:
            with self._locked(f"discarding {service.bento.tag}"):
                state = self._endpoint.read()
                if state and state.live == service.variant:
                    raise UserError("is live", where=f"variant {service.variant}", remedy="Stop it first.")
                self._clean_up()
        except AwsError as error:
            raise self._add_rest(error, service.variant, service.live) from error
        finally:
            self._release()

    def stop(self) -> bool:
        """Deletes the endpoint, its configurations and its models; images stay in ECR."""
        with self._locked("stopping"):
            there = self._endpoint.read() is not None
            self._endpoint.delete()
            stopped = self._endpoint.delete_others(None) or there
        self._release()
        return stopped

    def read_health(self, live: Deployment) -> Health:
        """Reads CloudWatch's figures of the live variant of the last 24 hours."""
        (traffic,) = canary.read_traffic(self.aws, self.config.endpoint, [live.service], time.time() - HEALTH_S)
        return Health(traffic.requests, traffic.error_rate, None if traffic.p95 is None else 1000 * traffic.p95)

    def hourly_cost(self) -> str:
        """Describes what the instances of the endpoint cost an hour, by ``price_per_hour``."""
        state = self._endpoint.read()
        return self._cost(state) if state else ""

    @cached_property
    def _endpoint(self) -> Endpoint:
        return Endpoint(self.aws, self.config)

    def _variant(self, name: str) -> Variant:
        return Variant(self.aws, self.config.endpoint, name)

    def _deployment(self, bento: Bento, variant: str, state: State) -> Deployment:
        config, is_marked = self.config, state.live == state.tags.get(LIVE)
        suffix = "amazonaws.com.cn" if config.region.startswith("cn-") else "amazonaws.com"
        facts = {
            "endpoint": config.endpoint,
            "status": state.status + (f": {' '.join(state.reason.split())}" if state.reason else ""),
            "traffic": ", ".join(f"{name} {share:.0f}%" for name, share in state.shares.items()),
            "instances": f"{sum(state.instances.values())} of {config.instance_type}",
            "region": config.region,
        }
        if cost := self._cost(state):
            facts["cost"] = cost
        return Deployment(
            bento=bento,
            http=f"https://runtime.sagemaker.{config.region}.{suffix}/endpoints/{config.endpoint}/invocations",
            grpc="",
            since=state.tags[SINCE] if is_marked else state.changed,
            front=True,
            run=state.tags[RUN] if is_marked else "",
            service=variant,
            healthy=state.status in SERVING and state.instances.get(variant, 0) > 0,
            facts=facts,
        )

    def _cost(self, state: State) -> str:
        price, instances = self.config.price_per_hour, sum(state.instances.values())
        return "" if price is None else f"${price * instances:.2f} an hour ({instances} x ${price:g})"

    def _require_instance_type(self) -> None:
        """Requires that the region has the machine; SageMaker itself cannot be asked, but EC2 has the same ones."""
        filters = [{"Name": "instance-type", "Values": [self.config.instance_type.removeprefix("ml.")]}]
        try:
            found = self.aws.call("ec2", "describe_instance_type_offerings", Filters=filters)
        except AwsError as error:
            if error.code == "UnauthorizedOperation":  # SageMaker refuses it later
                return
            raise
        if not found["InstanceTypeOfferings"]:
            raise UserError(
                f"there is no {self.config.instance_type} in {self.config.region}",
                where="model deployer, instance_type",
                remedy="Set another instance_type, or another region.",
            )

    def _clean_up(self) -> str | None:
        """Cleans up after a killed deployer, or a trial; returns the live variant.

        An endpoint of which no variant ever went live is deleted: it serves no requests.

        Raises:
            UserError: If the live variant cannot be kept; never of a class that blames the version on trial.
        """
        state = self._endpoint.settle()
        live = state.live if state else None
        if state and live:
            self._restore(live, state)
        elif state:
            self._endpoint.delete()
        self._endpoint.delete_others(live)
        return live

    def _restore(self, live: str, state: State) -> None:
        """Brings the endpoint back to the live variant alone, and its tags with it."""
        where = f"endpoint {self.config.endpoint}"
        remedy = "Run python run.py stop, which ends the service, and deploy again."
        is_broken, reason = state.status in BROKEN, " ".join(state.reason.split()) or "SageMaker gives no reason"
        if state.status == MIXED:
            raise UserError(
                f"is {MIXED} ({reason}): it serves with instances of two versions", where=where, remedy=remedy
            )
        try:
            if is_broken:
                logger.warning(
                    "the %s is %s (%s): the service is down until %s has started again",
                    where, state.status, reason, live,
                )  # fmt: skip
                self._endpoint.recreate(live, state)
                return
            if state.tags.get(LIVE) != live:  # a switch was interrupted before its tags
                self._endpoint.mark_live(state, live, since=state.changed, run="")
            self._endpoint.run(live, live=live)
        except (NotStartedError, NoCapacityError) as error:
            is_down = "; the service is down" if is_broken else ""
            raise UserError(f"{error.what}{is_down}", where=where, remedy=f"{error.remedy} {remedy}") from error

    def _route(self, service: SageMakerService, share: int) -> None:
        """Gives a variant its share of the traffic in percent, and the live one the rest."""
        self._endpoint.set_weights({service.variant: share / 100, str(service.live): 1 - share / 100})

    def _add_rest(self, error: UserError, variant: str, live: str | None) -> UserError:
        """Returns the error with what is left, as nothing can clean up now."""
        remedy = error.remedy if AGAIN in error.remedy else f"{error.remedy} Then {AGAIN}."
        what = f"{error.what}; {self._describe_rest(variant, live)}"
        return UserError(what, where=error.where, remedy=remedy.replace(AGAIN, CLEANS_UP))

    def _describe_rest(self, variant: str, live: str | None) -> str:
        beside = f" beside {live}" if live else ""
        return (
            f"{variant} is perhaps still in the endpoint {self.config.endpoint}{beside}, perhaps even live, and costs"
            " money then (see python run.py status)"
        )

    # Methods of ZenML's command line, which knows services on this machine alone

    def perform_deploy_model(
        self, id: UUID, config: ServiceConfig, timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT
    ) -> BaseService:
        """Refuses: the deploy pipeline does it."""
        raise _use_run()

    def perform_stop_model(
        self, service: BaseService, timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT, force: bool = False
    ) -> BaseService:
        """Refuses: ``run.py stop`` does it."""
        raise _use_run()

    def perform_start_model(
        self, service: BaseService, timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT
    ) -> BaseService:
        """Refuses: the deploy pipeline does it."""
        raise _use_run()

    def perform_delete_model(
        self, service: BaseService, timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT, force: bool = False
    ) -> None:
        """Refuses: ``run.py stop`` does it."""
        raise _use_run()

    @staticmethod
    def get_model_server_info(service: BaseService) -> dict[str, str | None]:
        """Returns nothing: ZenML has no record of an endpoint."""
        return {}


def _use_run() -> UserError:
    return UserError("ZenML has no record of endpoints", where=WHERE, remedy="Use python run.py.")
