"""Writes the report: one HTML page about a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.arguments import ModelArguments, user_path
from cli.grammar import Command, Context, Summary, option
from sentiment.errors import UserError


@dataclass(frozen=True)
class Arguments(ModelArguments):
    """The arguments of ``report``."""

    output: Path = option("FILE", "file to write", default=Path("report.html"), type=user_path)


def run(arguments: Arguments, context: Context) -> Summary:
    """Writes the page; the summary holds its facts."""
    with context.session():
        from rich.markup import escape

        from cli.report_data import collect_report
        from sentiment.pages.report import report_page
        from sentiment.pages.report_data import report_facts

        report, console = collect_report(arguments.model, stack=context.stack), context.console
        _write(arguments.output, report_page(report))
        if not report.versions:
            console.print(f"there is no version of {escape(report.model)} yet: make train")
        for name in report.missing:
            console.print(f"[yellow]warning[/]: the champion's {name} is gone from the artifact store")
        console.print(f"Report: {escape(str(arguments.output))}", soft_wrap=True, highlight=False)
        return {**report_facts(report), "output": str(arguments.output)}


def _write(path: Path, page: str) -> None:
    """Replaces the file at once: a reader of the old page never gets half of the new one."""
    if path.is_dir():
        raise UserError("is a folder", where=f"--output {path}", remedy="Name a file, for example report.html.")
    if not path.parent.is_dir():
        raise UserError("its folder does not exist", where=f"--output {path}", remedy=f"mkdir -p {path.parent}")
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)


COMMAND = Command("report", "write everything about a model on one HTML page, with plots", run, Arguments)
