"""Window and reference to a check report, logged to MLflow with its pages."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from typing import Annotated, Any

from zenml import get_step_context, log_metadata, step

from registry.history import iterate_runs
from registry.trackers.copy import copy_run
from sentiment.checks import CheckReport
from sentiment.monitoring import checks
from sentiment.monitoring.confirmation import count_windows, judged_checks
from sentiment.monitoring.evidently_report import evidently_report, keep_snapshot
from sentiment.monitoring.reference import Reference
from sentiment.monitoring.settings import MonitorSettings
from sentiment.monitoring.window import Window
from sentiment.pages.monitoring import monitoring_page
from serving.health import read_health

logger = logging.getLogger(__name__)


@step(enable_cache=False, experiment_tracker=True)
def check_window(
    window: Window, reference: Reference, settings: MonitorSettings
) -> Annotated[CheckReport, "monitoring_checks"]:
    """Checks whether the version is still good, with evidence.

    MLflow gets every score, the page, and Evidently's interactive report, which a dashboard that runs no script cannot
    show; a workspace of ``evidently ui`` keeps the latter over time.

    Args:
        window: The version's recent answers.
        reference: Its answers to held-out reviews.
        settings: Limits.
    """
    import mlflow

    health, no_health = read_health(settings.service, hours=settings.window.hours)
    report = checks.check_window(window, reference, settings, health=health, no_health=no_health)
    facts, confirm = window.facts, settings.confirm
    earlier = iterate_runs(settings.model, facts.model_version) if confirm.of > 1 else iter(())
    windows = count_windows(report, (facts.start, facts.end), earlier, confirm)
    metadata: dict[str, Any] = {
        "model": settings.model,
        "model_version": facts.model_version,
        "run": get_step_context().pipeline_run.name,
        "start": facts.start,
        "end": facts.end,
        "judged_checks": judged_checks(report),
        "windows": {finding: asdict(count) for finding, count in windows.items()},
    }
    log_metadata(metadata=metadata, infer_artifact=True)  # registry/history.py reads it
    mlflow.set_tags({"model_version": facts.model_version, "findings": ", ".join(checks.findings(report))})
    mlflow.log_metrics(
        {"predictions": facts.seen}
        | {_metric(check.name): check.score for check in report.checks if check.score is not None}
    )
    copy_run()
    actions = checks.explain_actions(report, settings, windows)
    mlflow.log_text(monitoring_page(report, window, reference, actions), "monitoring.html")
    interactive = evidently_report(window, reference, settings.drift)
    if interactive is not None:
        mlflow.log_text(interactive.get_html_str(as_iframe=False), "evidently.html")
    if interactive is not None and settings.evidently is not None:
        try:
            keep_snapshot(interactive, settings.evidently, settings.model)
        except OSError as error:  # a full disk; MLflow has the report
            logger.warning("the report was not kept in %s: %s", settings.evidently, error.strerror)
    return report


def _metric(name: str) -> str:
    """A name that MLflow takes."""
    return re.sub(r"[^\w./ -]+", "", name).strip().replace(" ", "_")
