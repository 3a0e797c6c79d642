"""The services of a deployer: on disk, running or not, and the configuration of a new one."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from zenml.client import Client
from zenml.enums import ServiceState
from zenml.model_deployers.base_model_deployer import get_model_version_id_if_exists

from sentiment.deployment import Bento, Deployment
from sentiment.errors import UserError
from serving.deployer_config import BentoDeployerConfig
from serving.record import read_live
from serving.service import SERVICES, STATE, BentoService, BentoServiceConfig
from stacks import processes
from stacks.addresses import Address, free_port
from stacks.files import required_file

FILES = ("tokens_file", "tls_certificate", "tls_key")  # settings that name files


class Services:
    """The services below a deployer's folder."""

    def __init__(self, root: Path) -> None:
        """Opens the folder of a deployer."""
        self._root = root

    def read(self, deployment: Deployment) -> BentoService:
        """Reads the service of a deployment.

        Raises:
            UserError: If its folder is gone.
        """
        service = BentoService.read(self._root, UUID(deployment.service))
        if service is None:
            raise UserError("its folder is gone", where=f"service {deployment.service}", remedy="Deploy again.")
        return service

    def start(self, config: BentoServiceConfig) -> BentoService:
        """Registers a service in ZenML and starts it; if it does not start, it is removed again."""
        version = get_model_version_id_if_exists(config.bento.model, config.bento.version)
        response = Client().create_service(config, BentoService.SERVICE_TYPE, version)
        try:
            service = launch(response.id, config)
            Client().update_service(
                service.uuid,
                service_source=service.model_dump()["type"],
                admin_state=service.admin_state,
                status=service.status.model_dump(),
                prediction_url=service.prediction_url,
                health_check_url=service.healthcheck_url,
            )
        except BaseException:
            self.remove(response.id)
            raise
        return service

    def find(self) -> set[UUID]:
        """Finds services that have a folder, or a process although their folder is gone."""
        folder = self._root / SERVICES
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
        names |= {path.relative_to(folder).parts[0] for _, path in processes.find_by_variable(STATE, below=folder)}
        return {UUID(name) for name in names}

    def remove_others(self, kept: str | None) -> None:
        """Removes every service except one."""
        for identifier in self.find():
            if str(identifier) != kept:
                self.remove(identifier)

    def remove(self, identifier: UUID) -> None:
        """Ends a service and removes it; only its predictions stay."""
        self.end(identifier)
        with suppress(KeyError):
            Client().delete_service(identifier)
        self.delete_folder(identifier)  # last: an interrupted removal is found by it

    def end(self, identifier: UUID, *, at_once: bool = False) -> None:
        """Ends the processes of a service, even if its files are gone."""
        service = BentoService.read(self._root, identifier)
        if service is not None:
            service.terminate(at_once=at_once)
        processes.kill(found for found, _ in processes.find_by_variable(STATE, below=self._folder(identifier)))

    def delete_folder(self, identifier: UUID) -> None:
        """Deletes the files of a service."""
        shutil.rmtree(self._folder(identifier), ignore_errors=True)

    def _folder(self, identifier: UUID) -> Path:
        return self._root / SERVICES / str(identifier)


def launch(identifier: UUID, config: BentoServiceConfig) -> BentoService:
    """Starts a service and waits until it answers."""
    service = BentoService(uuid=identifier, config=config)
    service.launch()
    service.admin_state = ServiceState.ACTIVE
    service.update_status()
    return service


def server_info(service: BentoService) -> dict[str, str | None]:
    """Returns the facts that ZenML shows of a service; for the live one, the live address."""
    record = read_live(Path(service.config.root))
    live = record.deployment if record and record.deployment.service == str(service.uuid) else None
    process = service.process()
    return {
        "PREDICTION_URL": f"{live.http}/v1/predict" if live else service.prediction_url,
        "GRPC_ADDRESS": live.grpc if live else service.grpc_address,
        "HEALTH_CHECK_URL": f"{live.http}/readyz" if live else service.healthcheck_url,
        "LIVE": f"since {live.since}" if live else "no",
        "BENTO": service.bento.tag,
        "MODEL_NAME": service.bento.model,
        "MODEL_VERSION": service.bento.version,
        "LOG_FILE": str(service.log_file),
        "PREDICTION_LOG": str(service.prediction_log.resolve()),
        "DAEMON_PID": str(process.pid) if process else None,
    }


def hash_settings(config: BentoDeployerConfig, *, uses_front: bool) -> str:
    """Hashes (SHA-256) the settings that callers can notice: two services of one Bento differ in them alone."""
    values = config.model_dump_json(exclude={"start_timeout"})
    files = [required_file(getattr(config, name), name) for name in FILES]
    parts = [values.encode(), str(uses_front).encode(), *(file.read_bytes() for file in files if file)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def configure_service(config: BentoDeployerConfig, bento: Bento, root: Path, *, uses_front: bool) -> BentoServiceConfig:
    """Configures a new service on free loopback ports.

    Raises:
        UserError: If tokens would not reach it, or a file of the settings is missing.
    """
    if os.environ.get("SENTIMENT_TOKENS"):
        raise UserError(
            "a deployed service does not read tokens from there, and would be open to every caller",
            where="environment variable SENTIMENT_TOKENS",
            remedy="Write them to a file, and name it in the stack file: tokens_file.",
        )
    tokens = required_file(config.tokens_file, "tokens_file")
    options = config.model_copy(update={"tokens_file": tokens and str(tokens)})
    pipeline, step = _running_step()
    address = free_address(config)
    return BentoServiceConfig(
        service_name=bento.tag,
        model_name=bento.model,
        model_version=bento.version,
        pipeline_name=pipeline,
        pipeline_step_name=step,
        bento=bento,
        root=str(root),
        created=datetime.now(UTC).isoformat(),
        http_port=address.http_port,
        grpc_port=address.grpc_port,
        drain_seconds=config.drain_seconds,
        start_timeout=config.start_timeout,
        settings=hash_settings(config, uses_front=uses_front),
        environment=options.as_environment(),
    )


def free_address(config: BentoDeployerConfig) -> Address:
    """Finds free loopback ports, apart from those of the live address."""
    taken = {config.http_port, config.grpc_port}
    http = free_port(taken)
    return Address("127.0.0.1", http, free_port(taken | {http}))


def _running_step() -> tuple[str, str]:
    """Returns the names of the running pipeline and step; empty outside of a run."""
    from zenml import get_step_context

    try:
        context: Any = get_step_context()
    except RuntimeError:
        return "", ""
    return context.pipeline.name, context.step_name
