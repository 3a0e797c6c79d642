"""The data of the report: everything that is known about a model, and the same for ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sentiment.deployment import Version
from sentiment.monitoring.alarms import Alarm, MonitoringRun, open_alarms
from sentiment.reviews.table import SPLITS

if TYPE_CHECKING:
    from sentiment.checks import CheckReport
    from sentiment.deployment import Deployment
    from sentiment.evaluation.measure import Evaluation
    from sentiment.monitoring.checks import Health
    from sentiment.promotion.decision import Decision
    from sentiment.reviews.table import Splits

VERSION_FACTS = (
    "number", "stage", "kind", "promoted", "reason", "accuracy", "ece", "waiting", "approved_by",
    "approval_reason",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The data of the page; None or empty if there is none, or its files are gone.

    Attributes:
        model: Name of the model.
        stack: Name of the stack.
        at: When the data were collected.
        versions: Every version, oldest first.
        splits: The splits that the champion was trained and tested on.
        evaluation: The champion's, on its test split.
        behaviour: The champion's.
        decision: The decision that the champion was registered with.
        live: The live deployment.
        health: Figures of the live service since it started.
        history: Every monitoring run, oldest first.
        latest: The report of the last monitoring run.
        warnings: Problems to fix: the live version is not in production, registries disagree.
        missing: Artifacts whose files are gone.
    """

    model: str
    stack: str
    at: datetime
    versions: tuple[Version, ...] = ()
    splits: Splits | None = None
    evaluation: Evaluation | None = None
    behaviour: CheckReport | None = None
    decision: Decision | None = None
    live: Deployment | None = None
    health: Health | None = None
    history: tuple[MonitoringRun, ...] = ()
    latest: CheckReport | None = None
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def champion(self) -> Version | None:
        """The version in production."""
        return next((v for v in self.versions if v.stage == "production"), None)

    @property
    def own_live(self) -> Deployment | None:
        """The live deployment, if it is of this model: versions of different models may have the same number."""
        return self.live if self.live and self.live.bento.model == self.model else None

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The checks of the live version that failed in the last monitoring run."""
        return open_alarms(self.history, self.latest, self.own_live)


def report_facts(report: Report) -> dict[str, Any]:
    """Returns the report for ``--json``, without the plots."""
    champion, evaluation = report.champion, report.evaluation
    return {
        "model": report.model,
        "stack": report.stack,
        "at": report.at.isoformat(),
        "production": champion.number if champion else None,
        "versions": [_version_facts(version) for version in report.versions],
        "reviews": {name: len(getattr(report.splits, name)) for name in SPLITS} if report.splits else None,
        "accuracy": evaluation.overall.accuracy.value if evaluation else None,
        "ece": evaluation.overall.ece.value if evaluation else None,
        "rules": {r.name: r.passed for r in report.decision.rules} if report.decision else None,
        "behaviour": {c.name: c.score for c in report.behaviour.checks} if report.behaviour else None,
        "live": report.live.model_dump() if report.live else None,
        "health": asdict(report.health) if report.health else None,
        "monitoring": last_run_facts(report.history),
        "alarms": alarm_facts(report.alarms),
        "warnings": list(report.warnings),
        "missing": list(report.missing),
    }


def _version_facts(version: Version) -> dict[str, Any]:
    facts = {name: getattr(version, name) for name in VERSION_FACTS}
    return {**facts, "registered": version.registered or None, "taken_back": version.rolled_back or None}


def last_run_facts(history: Sequence[MonitoringRun]) -> dict[str, Any] | None:
    """Returns the last monitoring run for ``--json``; None if the model was never monitored."""
    if not history:
        return None
    last = history[-1]
    return {
        "at": last.at.isoformat(),
        "run": last.run,
        "version": last.version,
        "passed": last.passed,
        "failed": list(last.failed),
        "looks": len(history),
    }


def alarm_facts(alarms: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Returns open alarms for ``--json``."""
    return [
        {
            **a.check.model_dump(include={"name", "severity", "observed", "limit"}),
            "since": a.since.isoformat(),
            "action": a.action,
        }
        for a in alarms
    ]
