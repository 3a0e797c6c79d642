"""The smoke test of a service at any address, as a deployment makes it of a service that it starts."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from rich.console import Console

from bento.build import describe
from bento.predictor import MOST_CHARACTERS
from pipelines import summary
from pipelines.settings import DeploySettings
from sentiment.errors import UserError
from sentiment.settings import read_settings
from steps.deployment.access import Access
from steps.deployment.smoke import smoke_test
from steps.deployment.smoke_set import smoke_set
from steps.deployment.version import lineage, needed
from steps.promotion import registry

TOKEN = "SENTIMENT_TOKEN"  # the name of a variable


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Asks the service what a version's evaluation recorded; it must be this checkout's Bento of that version."""
    settings = read_settings(DeploySettings, options.config or Path("configs/deploy.yaml"), options.set)
    version = (
        registry.version(options.model, options.version) if options.version else registry.production(options.model)
    )
    if version is None:
        raise UserError("no version is in production", where=f"model {options.model}", remedy="Run make train first.")
    for name in needed(version.kind):
        registry.require_stored(options.model, version.number, name)
    servable, splits, evaluation = (
        registry.linked_artifact(options.model, version.number, name).load() for name in needed(version.kind)
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
