"""Exports live texts to annotators, and imports their answers into the prediction log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.grammar import Summary
from cli.runs.monitor import find_monitored
from registry import versions
from sentiment.annotation.agreement import Agreement, measure_agreement
from sentiment.annotation.feedback import NewFeedback, build_feedback, latest_answers
from sentiment.annotation.files import write_items
from sentiment.annotation.items import Answer
from sentiment.annotation.log_folder import extend_log, note_exported, read_exported, require_written
from sentiment.annotation.selection import Selection, own_predictions, select_items
from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import read_log, write_feedback
from sentiment.monitoring.reference import Reference
from sentiment.monitoring.settings import MonitorSettings
from sentiment.monitoring.window import Window, local_log
from steps.monitoring.read_window import at_hand, stack_bucket


def export_labels(
    settings: MonitorSettings, out: Path, console: Console, *, format: str, count: int, suggest: bool, again: bool
) -> Summary:
    """Writes the live texts whose labels are worth most, and notes in the log that they were exported.

    Args:
        settings: The window, and what a sure answer is.
        out: The file, which does not exist yet.
        console: Where the counts are printed.
        format: A name in :data:`sentiment.annotation.files.FORMATS`.
        count: Number of texts.
        suggest: Whether annotators see the model's answer.
        again: Whether texts of earlier batches are included.

    Raises:
        UserError: If there is no log, no text was kept, or every text was exported before.
    """
    version, log = find_monitored(settings)
    end, born = time.time(), datetime.fromisoformat(version.registered).timestamp()
    with at_hand(log) as here, local_log(here) as folder:
        logged, exported = read_log(folder), read_exported(folder)
    window = Window.of(
        logged,
        model_version=version.number,
        start=end - settings.window.hours * 3600,
        end=end,
        most=settings.window.max_predictions,
        seed=settings.seed,
        born=born,
    )
    _require_texts(window, log, settings.window.hours)
    reference = None
    if versions.is_stored(settings.model, version.number, "reference"):
        reference = versions.get_artifact(settings.model, version.number, "reference").load()
    selection = select_items(
        window,
        reference,
        count=count,
        sure=settings.feedback.sure,
        exported=frozenset() if again else exported,
        seed=settings.seed,
    )
    if not selection.items:
        raise UserError(
            "every text is in an earlier batch", where=log, remedy="Wait for new ones, or use --hours or --again."
        )
    project = write_items(out, selection.items, format=format, suggest=suggest)
    with extend_log(log, stack_bucket(log)) as folder:  # after the batch: a crash between them loses no text
        note_exported(folder, selection.items, out.name)
    _show_selection(selection, reference, out, project, console)
    return {
        "model_version": version.number,
        "log": log,
        "output": str(out),
        "settings": str(project),
        "format": format,
        "items": len(selection.items),
        "reasons": selection.reasons,
        "texts": selection.texts,
        "exported_before": selection.exported,
    }


def _require_texts(window: Window, log: str, hours: float) -> None:
    found, version = own_predictions(window), window.facts.model_version
    if found.empty:
        raise UserError(
            f"there are no predictions of version {version} in the last {hours:g} hours",
            where=log,
            remedy="Use --hours.",
        )
    if found["text"].isna().all():
        raise UserError(
            f"none of {len(found):,} predictions has its text",
            where=log,
            remedy="If the users agree that texts are kept, set log_text: true in the stack file, and run make deploy.",
        )


def _show_selection(
    selection: Selection, reference: Reference | None, out: Path, project: Path, console: Console
) -> None:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in selection.reasons.items())
    console.print(f"{len(selection.items):,} of {selection.texts:,} different texts: {reasons}", highlight=False)
    if selection.exported:
        console.print(f"{selection.exported:,} predictions left out: their text is in an earlier batch")
    if reference is None:
        console.print("[yellow]warning[/]: no text counts as drifted without a reference: run make monitor first")
    console.print(escape(f"batch: {out}\nproject settings: {project}"), highlight=False, soft_wrap=True)


def import_labels(settings: MonitorSettings, file: Path, answers: Sequence[Answer], console: Console) -> Summary:
    """Adds the majority's label of each text to the log as feedback; importing a file again changes nothing.

    Args:
        settings: Which log; and the guard's limits, of which users are warned.
        file: Where the answers are from; its time counts for answers without one.
        answers: The answers.
        console: Where the counts and the agreement are printed.

    Raises:
        UserError: If there is no log, or it cannot be written.
    """
    _, log = find_monitored(settings)
    default_time = file.stat().st_mtime
    grouped = latest_answers(answers, default_time=default_time)
    with at_hand(log) as here, local_log(here) as folder:
        logged = read_log(folder)
    feedback = build_feedback(grouped, logged, default_time=default_time)
    if feedback.labels:
        with extend_log(log, stack_bucket(log)) as folder:
            require_written(folder, write_feedback(folder, feedback.labels))
    predicted = {record.id: record.label for record in logged.records}
    agreement = measure_agreement(grouped, predicted, confidence=settings.feedback.confidence)
    warnings = _warnings(feedback, answers, settings)
    _show_import(feedback, agreement, warnings, console)
    counts = {name: value for name, value in asdict(feedback).items() if name != "labels"}
    return {
        "log": log,
        "answers": len(answers),
        "texts": len(grouped),
        "imported": len(feedback.labels),
        **counts,
        "agreement": agreement.model_dump(mode="json"),
        "warnings": warnings,
    }


def _warnings(feedback: NewFeedback, answers: Sequence[Answer], settings: MonitorSettings) -> list[str]:
    found = []
    limit, hours = settings.feedback.max_per_minute, settings.window.hours
    if feedback.busiest_minute > limit:
        found.append(
            f"{feedback.busiest_minute:,} labels have the same minute: the guard uses none of a minute with more than "
            f"{limit:,}. Use an export with the time of each answer"
        )
    if feedback.untimed:
        found.append(f"{feedback.untimed:,} labels have no time: they get that of the file")
    if unsure := sum(not answer.has_status for answer in answers):
        found.append(f"{unsure:,} answers have no status: discarded ones count, too")
    old = sum(entry.time < time.time() - hours * 3600 for entry in feedback.labels)
    if old:
        found.append(
            f"{old:,} labels are older than the window of {hours:g} hours: training uses them, live accuracy does not"
        )
    return found


def _show_import(feedback: NewFeedback, agreement: Agreement, warnings: Sequence[str], console: Console) -> None:
    table = Table("labels", "", title="Import", title_justify="left", show_header=False)
    rows = {
        "added as feedback": len(feedback.labels),
        "of them against an earlier answer, so unused": feedback.changed,
        "known already": feedback.known,
        "ties": feedback.ties,
        "skipped by all annotators": feedback.skipped,
        "about predictions that the log does not hold": feedback.unknown,
        "of a wrong clock": feedback.clock_skewed,
    }
    for name, count in rows.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    for warning in warnings:
        console.print(f"[yellow]warning[/]: {escape(warning)}", highlight=False)
    console.print(_agreement_table(agreement))
    if len(agreement.annotators) < 2:
        console.print("agreement: fewer than two annotators, so there is nothing to compare")
    elif agreement.alpha is None:
        console.print("agreement: alpha needs texts that two annotators labelled, and both labels among them")
    else:
        console.print(f"agreement: Krippendorff's alpha {agreement.alpha:.3f} on {agreement.texts:,} texts")
    if agreement.random:
        console.print(f"live accuracy, from the random texts: {agreement.random}", highlight=False)


def _agreement_table(agreement: Agreement) -> Table:
    table = Table("", "", "texts", "same label", title="Agreement", title_justify="left")
    for pair in (*agreement.pairs, *agreement.model):
        table.add_row(escape(pair.first), escape(pair.second), f"{pair.texts:,}", f"{pair.share:.1%}")
    return table
