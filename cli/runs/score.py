"""Runs the score pipeline."""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from rich.console import Console

from cli import tables
from cli.grammar import Summary
from cli.runs.outcome import check_facts, load_output
from cli.runs.start import start_pipeline
from pipelines.score import score
from registry import locks, versions
from registry.lineage import artifact_names
from sentiment.deployment import Version
from sentiment.errors import UserError
from sentiment.scoring.job import LOCK, Target
from sentiment.scoring.results import ScoringReport
from sentiment.scoring.scorer import REJECTS
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.spool import STANDARD
from sentiment.scoring.storage import S3


def run_score(settings: ScoreSettings, console: Console, *, restart: bool, cache: bool) -> Summary:
    """Scores the input on the active stack, prints the counts, and returns them for ``--json``.

    Args:
        settings: The settings of the pipeline.
        console: Where progress and results are drawn.
        restart: Whether to begin anew where an earlier run has finished a part.
        cache: Whether the version's reference may be served from cache.

    Raises:
        UserError: If there is no such version, the input cannot be read, or another job writes the output.
    """
    version = versions.choose_version(settings.model, settings.version)
    for artifact in artifact_names(version.kind):
        versions.require_stored(settings.model, version.number, artifact)
    if settings.output != STANDARD:
        return _run(settings, version, console, restart=restart, cache=cache)
    if console.stderr:
        raise UserError("standard output cannot hold both", where="--json, output -", remedy="Name a file.")
    console = Console(stderr=True, width=console.width, emoji=False)
    folder = Path(mkdtemp(prefix="sentiment-score-"))
    try:
        path = folder / f"scored.{settings.output_format or 'csv'}"
        to_file = settings.model_copy(update={"output": str(path)})
        with redirect_stdout(sys.stderr):
            summary = _run(to_file, version, console, restart=False, cache=cache)
        with path.open("rb") as scored, suppress(BrokenPipeError):  # the reader has enough
            shutil.copyfileobj(scored, sys.__stdout__.buffer, 1 << 20)  # type: ignore[union-attr] # a process has one
            sys.__stdout__.flush()  # type: ignore[union-attr]
        path.unlink()
        return summary
    finally:
        if not any(folder.rglob(f"{REJECTS}/*")):
            shutil.rmtree(folder)


def _run(settings: ScoreSettings, version: Version, console: Console, *, restart: bool, cache: bool) -> Summary:
    target = Target.of(settings.output or "", settings.output_format)
    with _locked(target):
        run = start_pipeline(score, settings, version.number, version.kind, restart, console=console, cache=cache)
    report: ScoringReport = load_output(run.steps, "score_files", "scoring_report")
    console.print(tables.scoring_table(report))
    console.print(tables.checks_table([report.checks]))
    if report.totals.rejections:
        console.print(f"rejected rows, with their reasons: {target.folder}/rejects/", highlight=False)
    written = target.output if target.is_file else f"{target.output}/parts/"
    verdict = "[bold green]scored[/]"
    if not report.checks.passed:
        limit = f"more than {100 * settings.max_rejected_share:g}% of the rows were rejected"
        verdict = f"[bold red]failed[/]: {limit} (max_rejected_share). The others are scored"
    console.print(f"\n{verdict}: {written}   the page: make mlflow, the run {run.name}", highlight=False)
    return {
        "run": run.name,
        "passed": report.checks.passed,
        "rows_per_second": report.rows_per_second,
        **_facts(report),
    }


def _facts(report: ScoringReport) -> dict[str, Any]:
    totals = report.totals
    return {
        "model_version": report.model_version,
        "engine": report.engine,
        "output": report.output,
        "rows": totals.rows,
        "scored": totals.scored,
        "rejected": totals.rejected,
        "positives": totals.positives,
        "abstained": totals.abstained,
        "new_rows": report.new_rows,
        "seconds": report.seconds,
        "checks": check_facts(report.checks),
    }


@contextmanager
def _locked(target: Target) -> Iterator[None]:
    """Keeps other jobs from the same output; on this machine the lock of a killed job is free at once.

    Raises:
        UserError: If another job holds it.
    """
    if target.folder.startswith(S3):
        with locks.try_lock(f"score {target.folder}") as since:
            if since is not None:
                raise UserError(
                    f"another job has been writing it since {since:%H:%M:%S} UTC",
                    where=f"output {target.output}",
                    remedy="Wait for it; the lock of a killed job is free after five minutes.",
                )
            yield
        return
    folder = Path(target.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                "another job is writing it",
                where=f"output {target.output}",
                remedy="Wait for it, or name another output.",
            ) from None
        try:
            yield
        finally:
            if [path.name for path in folder.iterdir()] == [LOCK]:  # the job could not begin
                shutil.rmtree(folder)
