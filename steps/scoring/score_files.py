"""Servable and files to scored files, with a report on them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import numpy as np
from zenml import log_metadata, step

from registry.trackers.copy import copy_run
from sentiment.models.servable import Servable
from sentiment.monitoring.reference import Reference
from sentiment.pages.scoring import scoring_page
from sentiment.scoring import results
from sentiment.scoring.checks import check_scored
from sentiment.scoring.job import JobResult, Target, prepare_folder, run_job, show_input
from sentiment.scoring.scorer import Scorer
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.spool import bring_in
from sentiment.scoring.storage import Storage
from sentiment.scoring.workers import open_workers


@step(enable_cache=False, experiment_tracker=True)  # the files may have changed
def score_files(
    servable: Servable, reference: Reference, version: str, settings: ScoreSettings, restart: bool
) -> Annotated[results.ScoringReport, "scoring_report"]:
    """Scores every row of the input, or those that an earlier run has left, and checks the whole.

    Args:
        servable: Of the version.
        reference: Its answers to held-out reviews.
        version: Its number.
        settings: Input, output and limits.
        restart: Whether to begin anew where an earlier run has finished a part.
    """
    import mlflow

    assert settings.input is not None and settings.output is not None  # the command line requires them
    storage = Storage(_bucket_options())
    target = Target.of(settings.output, settings.output_format)
    prepare_folder(target, storage, restart=restart)
    address, text_column = bring_in(settings, target, storage, restart=restart)
    make = partial(
        Scorer, model_version=version, folder=target.folder, form=target.form, settings=settings, storage=storage
    )
    with open_workers(make, servable.path, settings) as workers:
        model = (settings.model, version, servable.fingerprint)
        done = run_job(address, target, model, settings, storage, workers, default_text_column=text_column)
        count = workers.count
    report = _report(done, servable, reference, settings, count)
    mlflow.set_tags({"model_version": version, "output": settings.output})
    mlflow.log_metrics(_metrics(report))
    copy_run()
    mlflow.log_text(scoring_page(report), "scoring.html")
    log_metadata(metadata={"model": settings.model, "model_version": version}, infer_artifact=True)
    return report


def _report(
    done: JobResult, servable: Servable, reference: Reference, settings: ScoreSettings, workers: int
) -> results.ScoringReport:
    return results.ScoringReport(
        model=settings.model,
        model_version=done.manifest.model.version,
        kind=servable.manifest.kind,
        engine=done.manifest.model.engine,
        input=show_input(settings),
        output=settings.output or "",
        files=len(done.manifest.inputs),
        totals=done.tally.totals,
        reference_histogram=tuple(np.histogram(reference.positive, results.BINS, (0, 1))[0].tolist()),
        checks=check_scored(done.tally, reference, settings),
        new_rows=done.new_rows,
        seconds=done.seconds,
        workers=workers,
        price_per_core_hour=settings.price_per_core_hour,
    )


def _metrics(report: results.ScoringReport) -> dict[str, float]:
    totals = report.totals
    counts = {"rows": totals.rows, "scored": totals.scored, "rejected": totals.rejections}
    shares = {"positive_share": totals.positives, "abstained_share": totals.abstained}
    speed = {"rows_per_second": report.rows_per_second, "seconds": report.seconds} if report.new_rows else {}
    return counts | {name: count / max(totals.scored, 1) for name, count in shares.items()} | speed


def _bucket_options() -> dict[str, Any]:
    """Returns the credentials and the endpoint of the active stack's bucket for s3fs; none if it has no bucket."""
    from zenml.client import Client

    files = getattr(Client().active_stack.artifact_store, "filesystem", None)
    if files is None or "s3" not in files.protocol:
        return {}
    return {
        "key": files.key,
        "secret": files.secret,
        "token": files.token,
        "client_kwargs": dict(files.client_kwargs),
        "config_kwargs": dict(files.config_kwargs),
    }
