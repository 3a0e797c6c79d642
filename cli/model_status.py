"""The status of a model on the active stack: the live service, the version in production, and monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.faults import explain
from registry import versions
from registry.consistency import find_disagreements
from registry.history import read_history
from sentiment.checks import CheckReport
from sentiment.deployment import Deployment, Version
from sentiment.errors import UserError
from sentiment.monitoring.alarms import Alarm, MonitoringRun, open_alarms
from sentiment.monitoring.checks import Health
from serving.active import find_deployer

if TYPE_CHECKING:
    from serving.interface import RolloutDeployer


@dataclass(frozen=True)
class ModelStatus:
    """The status of a model.

    Attributes:
        model: Name of the model.
        versions: Every version, oldest first.
        live: The live deployment on the stack, of any model.
        health: Figures of the live service since it started; None if there is none or it does not answer.
        runs: Monitoring runs, oldest first.
        latest: The report of the last monitoring run; None if there is none, or its files are gone.
        disagreements: Remaining disagreements between ZenML and MLflow, with a remedy.
        repaired: Repairs that were made.
        unknown_live: Why it is unknown which deployment is live; empty if it is known.
    """

    model: str
    versions: tuple[Version, ...]
    live: Deployment | None
    health: Health | None
    runs: tuple[MonitoringRun, ...]
    latest: CheckReport | None
    disagreements: tuple[str, ...]
    repaired: tuple[str, ...]
    unknown_live: str = ""

    @cached_property
    def production(self) -> Version | None:
        """The version in production."""
        return next((v for v in self.versions if v.stage == "production"), None)

    @property
    def own_live(self) -> Deployment | None:
        """The live deployment, if it is of this model."""
        return self.live if self.live and self.live.bento.model == self.model else None

    @property
    def live_version(self) -> Version | None:
        """The version that is live; None if none is, or it is unknown."""
        live = self.own_live
        return next((v for v in self.versions if live and v.number == live.bento.version), None)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The failed checks of the last monitoring run of the live version."""
        return open_alarms(self.runs, self.latest, self.own_live)

    @property
    def warning(self) -> str | None:
        """The problem of the live service; None if it answers and serves the version in production."""
        live, production = self.live, self.production.number if self.production else None
        if live is None:
            return f"it is unknown which version is live: {self.unknown_live}" if self.unknown_live else None
        if not live.healthy:
            return "the live service does not answer: make deploy restarts it"
        if live.bento.model != self.model:
            return f"the live service serves another model, {live.bento.model}"
        if live.bento.version == production:
            return None
        both = f"version {live.bento.version} is live, version {production or 'none'} is in production"
        # An interrupted rollback leaves the live deployment newer than the promotion.
        if self.production and versions.deployed_after_promotion(live, self.production):
            return f"{both}: python run.py rollback --to {live.bento.version} makes them agree; or make deploy"
        return f"{both}: make deploy"


def read_status(model: str, *, repair: bool = False) -> ModelStatus:
    """Reads the status of a model.

    Args:
        model: Name of the model.
        repair: Whether to make MLflow's registry agree with ZenML first.
    """
    deployer = find_deployer()
    live, unknown = None, ""
    try:
        live = deployer.live() if deployer else None
    except UserError as error:  # the rest of the status must show even while AWS does not answer
        unknown = str(error)
    known = tuple(versions.list_versions(model))
    repaired, warnings = _compare_registries(model, repair=repair) if known or repair else ([], [])
    runs, latest = read_history(model)
    return ModelStatus(
        model=model,
        versions=known,
        live=live,
        health=_read_health(deployer, live) if deployer and live and live.healthy else None,
        runs=runs,
        latest=latest,
        disagreements=tuple(warnings),
        repaired=tuple(repaired),
        unknown_live=unknown,
    )


def _read_health(deployer: RolloutDeployer[Any], live: Deployment) -> Health | None:
    import httpx

    try:
        return deployer.read_health(live)
    except (httpx.HTTPError, UserError, OSError):  # the service is stopping or too busy: it did answer before
        return None


def _compare_registries(model: str, *, repair: bool) -> tuple[list[str], list[str]]:
    """Returns the repairs that were made, and the remaining disagreements between ZenML and MLflow."""
    try:
        found = find_disagreements(model)
    except Exception as error:  # the rest of the status must show even while MLflow does not answer
        fault = explain(error)
        if repair or fault is None:
            raise
        return [], [str(fault)]
    if not (repair and found):
        return [], [f"{d.what}: python run.py status --repair" for d in found]
    for disagreement in found:
        disagreement.fix()
    return [d.fixed for d in found], [d.what for d in find_disagreements(model)]
