"""The model deployer ``sentiment_bento``: Bentos on this machine, switched without losing a request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast
from uuid import UUID

from zenml.model_deployers import BaseModelDeployerFlavor
from zenml.model_deployers.base_model_deployer import DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT
from zenml.services.service import BaseService, ServiceConfig

from sentiment.checks import CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.errors import UserError
from sentiment.monitoring.checks import Health
from serving.deployer_config import BentoDeployerConfig
from serving.flavor import BentoDeployerFlavor
from serving.front import Front
from serving.interface import RolloutDeployer
from serving.nginx import Backend, Route
from serving.record import read_live, write_live
from serving.rollouts.access import access_to
from serving.rollouts.canary import read_traffic, watch_canary
from serving.rollouts.shadow import watch_shadow
from serving.rollouts.smoke import smoke_test
from serving.service import BentoService, BentoServiceConfig
from serving.services import Services, configure_service, free_address, hash_settings, launch, server_info
from stacks import processes
from stacks.addresses import Address
from stacks.files import required_file

if TYPE_CHECKING:
    from serving.rollouts.settings import RolloutSettings, SmokeSettings
    from serving.rollouts.smoke_set import Known

WHERE = "model deployer"
logger = logging.getLogger(__name__)


class BentoDeployer(RolloutDeployer[BentoService]):
    """Serves Bentos: one is live, and at most one more is on trial.

    A deployment is ``start``, then ``switch`` or ``discard``; after ``start``, no other one can begin. The
    live service stays live until the new one has its traffic, whenever and however this process ends; the next
    deployment cleans up.
    """

    NAME: ClassVar[str] = "Sentiment Bento"
    FLAVOR: ClassVar[type[BaseModelDeployerFlavor]] = BentoDeployerFlavor

    @property
    def config(self) -> BentoDeployerConfig:
        """Its configuration."""
        return cast(BentoDeployerConfig, self._config)

    @property
    def local_path(self) -> str:
        """The folder of its state for ZenML: services, the front, the prediction log."""
        return str(self.root)

    @property
    def needs_token(self) -> bool:
        """Whether callers of the live address need a bearer token."""
        return self.config.tokens_file is not None

    def start(self, bento: Bento) -> BentoService:
        """Starts a service on free loopback ports, ready over both protocols; it gets no traffic.

        Raises:
            UserError: If another deployment is under way, or it does not start: nothing is left of it then.
        """
        lock = self.lock(f"deploying {bento.tag}")
        try:
            self._clean_up()
            service = self._start_service(bento)
        except BaseException:
            lock.close()
            raise
        self._lock = lock
        return service

    def live(self) -> Deployment | None:
        """Returns the live deployment, and whether it answers over both protocols; None if there is none."""
        live = self._live()
        return live and live.model_copy(update={"healthy": self._is_healthy(live)})

    def is_live(self, service: BentoService) -> bool:
        """Whether a service receives the traffic, healthy or not."""
        live = self._live()
        return live is not None and live.service == str(service.uuid)

    def is_up_to_date(self, live: Deployment) -> bool:
        """Whether the live service was started with today's settings and the same contents of their files."""
        service = BentoService.read(self.root, UUID(live.service))
        return service is not None and service.config.settings == hash_settings(
            self.config, uses_front=self._uses_front
        )

    def test(
        self, service: BentoService, known: Sequence[Known], settings: SmokeSettings, *, engine: str, threshold: float
    ) -> CheckReport:
        """Runs the smoke test on a service over both protocols."""
        return smoke_test(access_to(service), service.bento, known, settings, engine=engine, threshold=threshold)

    def compare(
        self, service: BentoService, live: Deployment, known: Sequence[Known], settings: RolloutSettings
    ) -> CheckReport:
        """Compares a service with the live one, as a canary or as a shadow.

        Raises:
            UserError: If the live service was removed meanwhile, or there is no front to divide the traffic.
        """
        former = self._services.read(live)
        try:
            if settings.mode == "canary":
                route = partial(self.canary, service, settings.share)
                return watch_canary(route, access_to(service), access_to(former), known, settings)
            return watch_shadow(partial(self.shadow, service), service.prediction_log, former.prediction_log, settings)
        finally:
            self.unroute(service)

    def switch(self, service: BentoService, *, run: str) -> Deployment:
        """Makes a service live, and ends the previous one.

        With the front, no request is lost. Without it, requests fail for the seconds that the service needs to restart
        on the live ports; if it does not start, the former service is started again.

        Args:
            service: From ``start``.
            run: Name of the pipeline run.

        Raises:
            UserError: If it cannot go live: the former service is live then.
        """
        with self._locked(f"switching to {service.bento.tag}"):
            former = self._live()
            new = self._deployment(service, run)
            service.share_log()
            write_live(self.root, new, former)
            try:
                self._move(former, new)
            except BaseException:
                write_live(self.root, former)
                raise
            write_live(self.root, new)
            try:
                self._services.remove_others(new.service)
            except Exception as error:  # it is live: the next deployment cleans up
                logger.warning("the previous service is not removed yet: %s", error)
            finally:
                self._release()
        return self.live() or new

    def canary(self, service: BentoService, share: int) -> None:
        """Gives a service a share of the prediction requests, over both protocols.

        Args:
            service: From ``start``.
            share: In percent, 1 to 99.

        Raises:
            UserError: If there is no front to divide the traffic.
        """
        with self._locked(f"trying {service.bento.tag}"):
            live = self._behind_front()
            service.share_log()
            self._front.apply(Route(live, canary=_backend(service), share=share))

    def shadow(self, service: BentoService) -> None:
        """Gives a service copies of ``POST /v1/predict``, with the same X-Request-Id; nginx copies no gRPC.

        Raises:
            UserError: If there is no front to copy requests.
        """
        with self._locked(f"trying {service.bento.tag}"):
            self._front.apply(Route(self._behind_front(), shadow=_backend(service)))

    def unroute(self, service: BentoService) -> None:
        """Ends the canary's share or the shadow's copies."""
        with self._locked(f"ending the trial of {service.bento.tag}"):
            self._route_to_live()

    def discard(self, service: BentoService) -> None:
        """Ends a service that did not go live, and removes it.

        Raises:
            UserError: If it is the live service.
        """
        try:
            with self._locked(f"discarding {service.bento.tag}"):
                if self.is_live(service):
                    raise UserError("is live", where=f"service {service.uuid}", remedy="Stop it first.")
                self._route_to_live()
                self._services.remove(service.uuid)
        finally:
            self._release()

    def stop(self) -> bool:
        """Stops everything after the requests in flight; returns whether there was anything to stop."""
        with self._locked("stopping"):
            stopped = self._front.stop()
            known = self._services.find()
            for identifier in known:
                self._services.remove(identifier)
            stopped = stopped or bool(known) or read_live(self.root) is not None
            write_live(self.root, None)
        self._release()
        return stopped

    def read_health(self, live: Deployment) -> Health:
        """Reads the counters of the live service since its start.

        Raises:
            httpx.HTTPError: If it does not answer.
            UserError: If it was removed meanwhile.
        """
        with access_to(self._services.read(live)).raw_http() as http:
            traffic = read_traffic(http.get("/metrics").raise_for_status().text)
        return Health(traffic.requests, traffic.error_rate, None if traffic.p95 is None else 1000 * traffic.p95)

    def prediction_log(self, live: Deployment) -> Path | None:
        """Returns the folder of the live service's prediction log.

        Raises:
            UserError: If the service was removed meanwhile.
        """
        return self._services.read(live).prediction_log.resolve()

    @property
    def _settings_hash(self) -> str:
        return hash_settings(self.config, uses_front=self._uses_front)

    @property
    def _services(self) -> Services:
        return Services(self.root)

    @property
    def _front(self) -> Front:
        return Front(self.root / "front", self.config)

    @property
    def _uses_front(self) -> bool:
        if self.config.front == "nginx" and processes.find_program("nginx") is None:
            raise UserError("nginx is not installed", where=WHERE, remedy="Install it, or set front: none.")
        return self.config.front != "none" and processes.find_program("nginx") is not None

    def _deployment(self, service: BentoService, run: str) -> Deployment:
        address = self.config.live_address
        return Deployment(
            bento=service.bento,
            http=address.http,
            grpc=address.grpc,
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            front=self._uses_front,
            run=run,
            service=str(service.uuid),
        )

    def _live(self) -> Deployment | None:
        """Returns the deployment that receives traffic.

        After an interrupted switch the record names two; ask the front which one answers.
        """
        record = read_live(self.root)
        if record is None:
            return None
        if record.former is None:
            return record.deployment
        if record.deployment.front:
            moved = self.config.live_address.served_by() == record.deployment.service
        else:
            moved = self._serves_itself(record.deployment)
        return record.deployment if moved else record.former

    def _is_healthy(self, live: Deployment) -> bool:
        service = BentoService.read(self.root, UUID(live.service))
        if service is None or service.process() is None:
            return False
        if live.front:
            answering = self._front.master() and self.config.live_address.served_by() == live.service
            return bool(answering) and not self.config.live_address.problem()
        return self._serves_itself(live) and not service.address.problem()

    def _serves_itself(self, live: Deployment) -> bool:
        """Whether its process listens on the live ports itself."""
        service = BentoService.read(self.root, UUID(live.service))
        return service is not None and service.address == self.config.live_address and service.process() is not None

    def _behind_front(self) -> Backend:
        live = self._live()
        service = BentoService.read(self.root, UUID(live.service)) if live and live.front else None
        if service is None or self._front.master() is None:
            raise UserError(
                "there is no live service behind nginx whose requests could be shared",
                where=WHERE,
                remedy="Install nginx, and deploy without canary or shadow first.",
            )
        return _backend(service)

    def _move(self, former: Deployment | None, new: Deployment) -> None:
        """Moves the traffic from one deployment to the other, and back if that fails."""
        seamless = new.front and (former is None or former.front)
        if former and not seamless:
            self._withdraw(former)
        try:
            self._expose(new)
        except BaseException:
            if former is None or not seamless:
                self._withdraw(new)
            if former:
                self._expose(former)
            raise

    def _expose(self, deployment: Deployment) -> None:
        """Makes a service reachable at the live address."""
        service = self._services.read(deployment)
        if not deployment.front:
            service.terminate(at_once=True)  # it still runs on the ports of its trial
            self._relaunch(service, self.config.live_address)
            return
        if self.config.live_address == service.address:  # it listened there without the front
            service.terminate()
            self._relaunch(service, free_address(self.config))
        self._front.apply(Route(_backend(service)))
        problem = self.config.live_address.problem()
        if problem or self.config.live_address.served_by() != deployment.service:
            raise UserError(f"does not reach the new service: {problem}", where="front (nginx)", remedy="Try again.")

    def _withdraw(self, deployment: Deployment) -> None:
        if deployment.front:
            self._front.stop()
        else:
            self._services.end(UUID(deployment.service))

    def _relaunch(self, service: BentoService, address: Address) -> None:
        """Restarts a service at another address; it speaks TLS itself only at the live address."""
        certificate, key = address.certificate, required_file(self.config.tls_key, "tls_key")
        places = {"host": address.host, "http_port": address.http_port, "grpc_port": address.grpc_port}
        secrets = {"tls_certificate": certificate and str(certificate), "tls_key": str(key) if certificate else None}
        service.config = service.config.model_copy(update={**places, **secrets})
        service.launch()

    def _route_to_live(self) -> None:
        live = self._live()
        service = BentoService.read(self.root, UUID(live.service)) if live and live.front else None
        if service and self._front.master() is not None:
            self._front.apply(Route(_backend(service)))

    def _start_service(self, bento: Bento) -> BentoService:
        unused = self._live() is None and self._front.master() is None
        if unused and (port := self.config.live_address.used_port()) is not None:
            raise UserError(
                f"port {port} is in use",
                where="live address",
                remedy="Stop what listens there, or give the model deployer another port in the stack file.",
            )
        return self._services.start(configure_service(self.config, bento, self.root, uses_front=self._uses_front))

    def _clean_up(self) -> None:
        """Cleans up after a killed deployer: the traffic of a trial, half a switch, unused services."""
        record, live = read_live(self.root), self._live()
        if record and record.former:
            write_live(self.root, live)
        self._route_to_live()
        self._services.remove_others(live.service if live else self._ask_front())

    def _ask_front(self) -> str | None:
        """Asks our front which service it serves: an operator may have removed a damaged record."""
        return self.config.live_address.served_by() if self._front.master() is not None else None

    # Methods that ZenML's command line calls

    def perform_deploy_model(
        self,
        id: UUID,
        config: ServiceConfig,
        timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT,
    ) -> BentoService:
        """Starts a service for ZenML; the configuration sets the time limit."""
        return launch(id, cast(BentoServiceConfig, config))

    def perform_stop_model(
        self, service: BaseService, timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT, force: bool = False
    ) -> BaseService:
        """Ends a service for ZenML; it can be started again until the next deployment."""
        with self._locked(f"stopping {service.uuid}"):
            service.stop(timeout=1, force=force)
        return service

    def perform_start_model(
        self, service: BaseService, timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT
    ) -> BaseService:
        """Starts a service again for ZenML, with the front if it is the live one."""
        with self._locked(f"starting {service.uuid}"):
            service.start(timeout=1)
            live = self._live()
            if live and live.front and live.service == str(service.uuid):
                self._front.apply(Route(_backend(cast(BentoService, service))))
        return service

    def perform_delete_model(
        self, service: BaseService, timeout: int = DEFAULT_DEPLOYMENT_START_STOP_TIMEOUT, force: bool = False
    ) -> None:
        """Ends and removes a service for ZenML, with the front if it is the live one."""
        with self._locked(f"deleting {service.uuid}"):
            live = self._live()
            if live and live.service == str(service.uuid):
                self._front.stop()
                write_live(self.root, None)
            else:
                self._route_to_live()
            self._services.end(service.uuid, at_once=force)
            self._services.delete_folder(service.uuid)

    @staticmethod
    def get_model_server_info(service: BaseService) -> dict[str, str | None]:
        """Returns the facts that ZenML shows of a service; for the live one, the live address."""
        return server_info(cast(BentoService, service))


def _backend(service: BentoService) -> Backend:
    config = service.config
    return Backend(str(service.uuid), f"127.0.0.1:{config.http_port}", f"127.0.0.1:{config.grpc_port}")
