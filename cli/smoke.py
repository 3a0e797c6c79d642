"""The smoke test of a service at any address, as a deployment makes it of a service that it starts."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from rich.console import Console

from bento.build import describe
from bento.predictor import MOST_CHARACTERS
from cli import summary
from pipelines.settings import DeploySettings
from registry import versions
from registry.version_labels import lineage, needed
from sentiment.errors import UserError
from sentiment.settings import read_settings
from serving.rollouts.access import Access
from serving.rollouts.smoke import smoke_test
from serving.rollouts.smoke_set import smoke_set

TOKEN = "SENTIMENT_TOKEN"  # the name of a variable


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Asks the service what a version's evaluation recorded; it must be this checkout's Bento of that version."""
    settings = read_settings(DeploySettings, options.config or Path("configs/deploy.yaml"), options.set)
    version = (
        versions.version(options.model, options.version) if options.version else versions.production(options.model)
    )
    if version is None:
        raise UserError("no version is in production", where=f"model {options.model}", remedy="Run make train first.")
    for name in needed(version.kind):
        versions.require_stored(options.model, version.number, name)
    servable, splits, evaluation = (
        versions.linked_artifact(options.model, version.number, name).load() for name in needed(version.kind)
    )
    labels = lineage(options.model, version.number)
    bento = describe(servable.path, model=options.model, version=version.number, labels=labels)
    smoke = settings.smoke
    known = smoke_set(splits.test, evaluation, reviews=smoke.reviews, most_characters=MOST_CHARACTERS, seed=smoke.seed)
    access = Access(options.http.rstrip("/"), options.grpc, os.environ.get(TOKEN))
    report = smoke_test(access, bento, known, smoke)
    console.print(summary.checks_table([report]))
    return {
        "bento": bento.tag,
        "model_version": version.number,
        "passed": report.passed,
        "checks": {c.name: c.model_dump(include={"passed", "observed", "limit"}) for c in report.checks},
    }
