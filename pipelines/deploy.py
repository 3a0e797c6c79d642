"""A version to the live service."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from pipelines.settings import DeploySettings
from registry.version_labels import needed
from registry.versions import linked_artifact
from steps.deployment.build import build
from steps.deployment.roll_out import roll_out


@pipeline(name="deploy", execution_mode=ExecutionMode.FAIL_FAST)  # else the error that stopped it is lost
def deploy(settings: DeploySettings, version: str, kind: str) -> None:
    """Packages a version, starts it, tests it against what its evaluation recorded, and gives it the traffic.

    Args:
        settings: Everything a user may change.
        version: Number of the version.
        kind: Which candidate it is: ``linear``, ``transformer`` or ``cascade``.
    """
    servable, splits, evaluation = (linked_artifact(settings.model, version, name) for name in needed(kind))
    bento = build(servable, settings.model, version)
    roll_out(bento, splits, evaluation, settings.smoke, settings.rollout)
