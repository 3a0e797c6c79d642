"""Evidently's interactive report of a window, and the project in which ``evidently ui`` shows it over time.

It is for readers; :mod:`sentiment.monitoring.checks` decides, and also uses the words of the texts.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

    from sentiment.monitoring.reference import Reference
    from sentiment.monitoring.settings import DriftSettings
    from sentiment.monitoring.window import Window

_NUMBERS = {"words": "Words", "characters": "Characters", "positive": "P(positive)", "score": "Score"}
_ANSWER = "label"


def evidently_report(window: Window, reference: Reference, settings: DriftSettings) -> Snapshot | None:
    """Compares lengths, scores and answers of a window with those of its reference.

    Args:
        window: The window.
        reference: Of the same model version.
        settings: The level of the tests.

    Returns:
        Evidently's snapshot: ``snapshot.get_html_str(as_iframe=False)`` is a self-contained page that needs nothing
        besides itself. None for a window without two predictions, of which Evidently can draw nothing.
    """
    if len(window.sample) < 2:
        return None
    os.environ.setdefault("DO_NOT_TRACK", "1")  # read when Evidently is imported
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    rows, held = window.sample, reference.predictions
    theirs = pd.DataFrame(
        {
            "words": held["words"],
            "characters": held["characters"],
            "positive": reference.positive,
            "score": reference.scores,
            _ANSWER: np.where(reference.says_positive, "positive", "negative"),
        }
    )
    ours = rows[list(theirs.columns)].reset_index(drop=True)
    definition = DataDefinition(numerical_columns=list(_NUMBERS), categorical_columns=[_ANSWER])
    report = Report(
        [
            *(ValueDrift(column=column, method="ks", threshold=settings.significance) for column in _NUMBERS),
            ValueDrift(column=_ANSWER, method="chisquare", threshold=settings.significance),
        ],
        include_tests=True,
    )
    facts = window.facts
    return report.run(
        *(Dataset.from_pandas(frame, data_definition=definition) for frame in (ours, theirs)),
        timestamp=datetime.fromtimestamp(facts.end, UTC).replace(tzinfo=None),
        metadata={"model_version": facts.model_version},
        tags=[f"version {facts.model_version}"],
        name=f"version {facts.model_version} until {datetime.fromtimestamp(facts.end, UTC):%Y-%m-%d %H:%M}",
    )


def keep_snapshot(snapshot: Snapshot, workspace: Path, project: str) -> None:
    """Adds a snapshot to a project, which is made if it is not there: ``evidently ui --workspace FOLDER`` shows it.

    Args:
        snapshot: Of :func:`evidently_report`.
        workspace: Folder of the workspace.
        project: Name of the project, such as the model's.
    """
    from evidently.sdk.models import PanelMetric
    from evidently.sdk.panels import line_plot_panel
    from evidently.ui.workspace import Workspace

    found = Workspace.create(str(workspace))
    kept = next((known for known in found.list_projects() if known.name == project), None)
    if kept is None:
        kept = found.create_project(project)
        for column, words in (_NUMBERS | {_ANSWER: "Answers"}).items():
            value = PanelMetric(legend="p", metric="ValueDrift", metric_labels={"column": column})
            kept.dashboard.add_panel(line_plot_panel(title=f"{words}: p of no drift", values=[value], size="half"))
    found.add_run(kept.id, snapshot)
