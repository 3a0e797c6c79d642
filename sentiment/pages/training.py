"""The page of a training: how it was done, and where one of its steps went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment.models.step_profile import TRACE
from sentiment.pages.html import Html, page, paragraph, section, table, text
from sentiment.pages.servable import manifest_sections

if TYPE_CHECKING:
    from sentiment.models.checkpoint import TrainingReport
    from sentiment.models.step_profile import Operation, StepProfile


def training_page(report: TrainingReport, profile: StepProfile | None) -> str:
    """Shows the report of a training, and its profile.

    Args:
        report: Of the training.
        profile: Where a step went; None if the training was not profiled.
    """
    shown = [] if profile is None else [_profile(profile)]
    return page("Training", *shown, *manifest_sections(report.model_dump()))


def _profile(profile: StepProfile) -> Html:
    last = profile.first_step + profile.steps - 1
    on_gpu = any(operation.cuda_share is not None for operation in profile.operations)
    headers = ["operation", "share of CPU time", "CPU ms a step"]
    headers += ["share of GPU time", "GPU ms a step"] if on_gpu else []
    return section(
        "Where a training step goes",
        paragraph(
            f"Steps {profile.first_step:,} to {last:,} took {profile.step_ms:,.1f} ms each under PyTorch's profiler, "
            "which takes time itself. The backward pass includes the clipping of the gradients.",
        ),
        table(
            ("part of a step", "share of its time", "ms a step"),
            [(part.name, f"{part.share:.1%}", f"{part.ms:,.2f}") for part in profile.parts],
            numbers=(1, 2),
        ),
        table(
            (*headers, "calls a step"),
            [_cells(operation, on_gpu) for operation in profile.operations],
            numbers=range(1, len(headers) + 1),
            prose=(0,),
        ),
        paragraph(_how_to_open(), "soft"),
    )


def _cells(operation: Operation, on_gpu: bool) -> list[str]:
    gpu = [f"{operation.cuda_share or 0:.1%}", f"{operation.cuda_ms or 0:,.2f}"] if on_gpu else []
    return [
        operation.name,
        f"{operation.cpu_share:.1%}",
        f"{operation.cpu_ms:,.2f}",
        *gpu,
        f"{operation.calls:,.1f}",
    ]


def _how_to_open() -> Html:
    return Html(
        f"Every call is in the file <code>{text(TRACE)}</code> of this artifact, in the folder <code>data</code> "
        "of its address: open it at ui.perfetto.dev, or in Chrome at chrome://tracing."
    )
