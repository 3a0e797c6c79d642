"""Deploys a version as the live service."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from pipelines.settings import DeploySettings
from registry.lineage import artifact_names
from registry.versions import get_artifact
from steps.deployment.build import build
from steps.deployment.roll_out import roll_out


@pipeline(name="deploy", execution_mode=ExecutionMode.FAIL_FAST)  # otherwise the error of the failed step is lost
def deploy(settings: DeploySettings, version: str, kind: str) -> None:
    """Packages a version, starts it, tests it against its recorded evaluation, and switches the traffic to it.

    Args:
        settings: The settings of the pipeline.
        version: Number of the version.
        kind: The candidate: ``linear``, ``transformer`` or ``cascade``.
    """
    servable, splits, evaluation = (get_artifact(settings.model, version, name) for name in artifact_names(kind))
    bento = build(servable, settings.model, version)
    roll_out(bento, splits, evaluation, settings.smoke, settings.rollout)
