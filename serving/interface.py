"""The interface that every model deployer of this project has: what a deployment, status, stop and monitoring ask."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Generic, TypeVar

from zenml.config.global_config import GlobalConfiguration
from zenml.model_deployers import BaseModelDeployer

from sentiment.errors import UserError
from serving.record import lock_deployment

if TYPE_CHECKING:
    from sentiment.checks import CheckReport
    from sentiment.deployment import Bento, Deployment
    from sentiment.monitoring.checks import Health
    from serving.rollouts.settings import RolloutSettings, SmokeSettings
    from serving.rollouts.smoke_set import Known

Service = TypeVar("Service")  # a Bento that was started and is on trial until it is live


class RolloutDeployer(BaseModelDeployer, Generic[Service]):
    """Serves one live Bento, and at most one more on trial.

    A deployment is ``start``, ``test``, perhaps ``compare``, then ``switch`` or ``discard``. The live service stays
    live until the new one has its traffic, whenever this process ends; the next deployment cleans up.
    """

    _lock: IO[str] | None = None  # of a deployment that has begun

    @property
    def root(self) -> Path:
        """The folder of its state on this machine, at least its lock."""
        return Path(GlobalConfiguration().local_stores_path) / str(self.id)

    @property
    def needs_token(self) -> bool:
        """Whether callers of the live address need a bearer token."""
        return False

    def preflight(self, mode: str) -> None:
        """Checks what can be checked before anything is built.

        Args:
            mode: How traffic is to move: ``switch``, ``canary`` or ``shadow``.

        Raises:
            UserError: If it cannot deploy.
        """

    @abstractmethod
    def live(self) -> Deployment | None:
        """Returns the live deployment, and whether it is healthy; None if there is none."""

    @abstractmethod
    def is_up_to_date(self, live: Deployment) -> bool:
        """Whether the live service was started with today's settings."""

    @abstractmethod
    def is_live(self, service: Service) -> bool:
        """Whether a service receives the traffic, healthy or not."""

    @abstractmethod
    def start(self, bento: Bento) -> Service:
        """Starts a service beside the live one.

        Raises:
            UserError: If it does not start: nothing is left of it then.
        """

    @abstractmethod
    def test(
        self, service: Service, known: Sequence[Known], settings: SmokeSettings, *, engine: str, threshold: float
    ) -> CheckReport:
        """Runs the smoke test on a service that gets no traffic yet.

        Args:
            service: From ``start``.
            known: Reviews with their recorded scores.
            settings: Tolerance and budget.
            engine: The engine that computed the recorded scores.
            threshold: P(positive) above which the model says positive.
        """

    @abstractmethod
    def compare(
        self, service: Service, live: Deployment, known: Sequence[Known], settings: RolloutSettings
    ) -> CheckReport:
        """Compares a service with the live one as the settings say; a service that fails gets no traffic afterwards.

        One that passes may keep its share until ``switch`` or ``discard``.

        Args:
            service: From ``start``.
            live: The live deployment.
            known: Texts that are sent to both services first.
            settings: The mode, the duration and the limits.
        """

    @abstractmethod
    def switch(self, service: Service, *, run: str) -> Deployment:
        """Makes a service live, and ends the previous one.

        Args:
            service: From ``start``.
            run: Name of the pipeline run.

        Raises:
            UserError: If it cannot go live: the former service is live then.
        """

    @abstractmethod
    def discard(self, service: Service) -> None:
        """Ends a service that did not go live, and removes it.

        Raises:
            UserError: If it is the live service.
        """

    @abstractmethod
    def stop(self) -> bool:
        """Stops everything; returns whether there was anything to stop."""

    @abstractmethod
    def read_health(self, live: Deployment) -> Health:
        """Reads the live service's requests, failures and latency.

        Raises:
            httpx.HTTPError: If the service does not answer.
            UserError: If its figures cannot be read.
        """

    def prediction_log(self, live: Deployment) -> Path | None:
        """Returns the folder of the live service's prediction log; None if it is not on this machine."""
        return None

    def hourly_cost(self) -> str:
        """Describes the cost of an hour of everything that runs now; empty if nothing is charged or it is unknown."""
        return ""

    def lock(self, doing: str) -> IO[str]:
        """Keeps other deployments on this machine out, until the returned file is closed or this process ends.

        Args:
            doing: The action, shown to processes that are refused.

        Raises:
            UserError: If a deployment is under way on this machine.
        """
        if self._lock is not None:
            raise UserError(
                "is busy: this process has an unfinished deployment",
                where="model deployer",
                remedy="Discard it first.",
            )
        return lock_deployment(self.root, doing)

    @contextmanager
    def _locked(self, doing: str) -> Iterator[None]:
        """Holds the lock during the block, unless this deployer holds it for a whole deployment."""
        if self._lock is not None:
            yield
            return
        with self.lock(doing):
            yield

    def _release(self) -> None:
        """Ends the lock of a whole deployment."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()
