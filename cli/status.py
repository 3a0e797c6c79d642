"""The status of a model on the active stack: what is live and in production, how it does, what monitoring found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cli.faults import explain
from registry import versions
from registry.consistency import disagreements
from registry.history import history
from registry.versions import Version
from sentiment.checks import CheckReport
from sentiment.deployment import Deployment
from sentiment.errors import UserError
from sentiment.monitoring.alarms import Alarm, Watched, open_alarms
from sentiment.monitoring.checks import Health
from serving.active import find_deployer
from serving.health import live_health

if TYPE_CHECKING:
    from serving.deployer import BentoDeployer


@dataclass(frozen=True)
class Status:
    """What there is to know of a model at a glance.

    Attributes:
        model: Its name.
        versions: Every version, oldest first.
        live: What is live on the stack, of whichever model.
        health: How that did since it started; None if nothing is live or it does not say.
        looks: What monitoring found, oldest first.
        latest: Its last report; None if there is none, or it is gone.
        disagreements: What ZenML and MLflow (still) disagree about, and what to do.
        repaired: What was repaired.
    """

    model: str
    versions: tuple[Version, ...]
    live: Deployment | None
    health: Health | None
    looks: tuple[Watched, ...]
    latest: CheckReport | None
    disagreements: tuple[str, ...]
    repaired: tuple[str, ...]

    @cached_property
    def production(self) -> Version | None:
        """The version in production."""
        return next((v for v in self.versions if v.stage == "production"), None)

    @property
    def own_live(self) -> Deployment | None:
        """What is live, if it is of this model."""
        return self.live if self.live and self.live.bento.model == self.model else None

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What the last look found wrong with what is live."""
        return open_alarms(self.looks, self.latest, self.own_live)

    @property
    def warning(self) -> str | None:
        """What is wrong with what is live; None if it is the version in production, and answers."""
        live, production = self.live, self.production.number if self.production else None
        if live is None:
            return None
        if not live.healthy:
            return "what is live does not answer: make deploy starts it anew"
        if live.bento.model != self.model:
            return f"what is live is of the model {live.bento.model}"
        if live.bento.version != production:
            both = f"live is version {live.bento.version}, in production is version {production or 'none'}"
            if self.production and versions.chosen_later(
                live, self.production
            ):  # such as by a rollback that was cut short
                return f"{both}: python run.py rollback --to {live.bento.version} puts it there, too; or make deploy"
            return f"{both}: make deploy"
        return None


def read_status(model: str, *, repair: bool = False) -> Status:
    """Reads what there is to know at a glance.

    Args:
        model: Its name.
        repair: Whether MLflow's registry is made to agree with ZenML.
    """
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    known = tuple(versions.list_versions(model))
    repaired, warnings = _agreement(model, repair=repair) if known or repair else ([], [])
    looks, latest = history(model)
    return Status(
        model=model,
        versions=known,
        live=live,
        health=_health(deployer, live) if deployer and live and live.healthy else None,
        looks=looks,
        latest=latest,
        disagreements=tuple(warnings),
        repaired=tuple(repaired),
    )


def _health(deployer: BentoDeployer, live: Deployment) -> Health | None:
    import httpx

    try:
        return live_health(deployer, live)
    except (httpx.HTTPError, UserError, OSError):  # it is being stopped, or too busy: that it answers was seen before
        return None


def _agreement(model: str, *, repair: bool) -> tuple[list[str], list[str]]:
    """What was repaired, and what ZenML and MLflow (still) disagree about."""
    try:
        found = disagreements(model)
    except Exception as error:  # what is live shall be seen whether MLflow answers or not
        fault = explain(error)
        if repair or fault is None:
            raise
        return [], [str(fault)]
    if not (repair and found):
        return [], [f"{d.what}: python run.py status --repair" for d in found]
    for disagreement in found:
        disagreement.mend()
    return [d.mended for d in found], [d.what for d in disagreements(model)]
