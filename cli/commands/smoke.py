"""The smoke test of a service at any address, the same as a deployment runs on the service that it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cli.arguments import ModelArguments, SettingsArguments
from cli.grammar import Command, Context, Summary, option

TOKEN_VARIABLE = "SENTIMENT_TOKEN"


@dataclass(frozen=True)
class Arguments(ModelArguments, SettingsArguments):
    """The arguments of ``smoke``; its settings are those of ``deploy``."""

    http: str = option(
        "URL", f"address of the service over HTTP; the token of ${TOKEN_VARIABLE} is sent", required=True
    )
    grpc: str = option("HOST:PORT", "address of the service over gRPC", required=True)
    version: str | None = option("N", "number of the version (default: the one in production)")


def run(arguments: Arguments, context: Context) -> Summary:
    """Sends the reviews of a version's evaluation, and requires the recorded scores of this checkout's Bento."""
    with context.session():
        from bento.build import describe
        from bento.predictor import MAX_CHARACTERS
        from cli.runs.outcome import check_facts
        from cli.tables import checks_table
        from pipelines.settings import DeploySettings
        from registry import versions
        from registry.lineage import artifact_names, read_lineage
        from sentiment.settings import read_settings
        from serving.rollouts.access import Access
        from serving.rollouts.smoke import smoke_test
        from serving.rollouts.smoke_set import smoke_set

        model, number = arguments.model, arguments.version
        smoke = read_settings(DeploySettings, arguments.config, arguments.overrides).smoke
        version = versions.choose_version(model, number)
        for name in artifact_names(version.kind):
            versions.require_stored(model, version.number, name)
        servable, splits, evaluation = (
            versions.get_artifact(model, version.number, name).load() for name in artifact_names(version.kind)
        )
        labels = read_lineage(model, version.number)
        bento = describe(servable.path, model=model, version=version.number, labels=labels)
        known = smoke_set(
            splits.test, evaluation, reviews=smoke.reviews, max_characters=MAX_CHARACTERS, seed=smoke.seed
        )
        access = Access(arguments.http.rstrip("/"), arguments.grpc, os.environ.get(TOKEN_VARIABLE))
        report = smoke_test(access, bento, known, smoke, engine=evaluation.engine, threshold=evaluation.threshold)
        context.console.print(checks_table([report]))
        return {
            "bento": bento.tag,
            "model_version": version.number,
            "passed": report.passed,
            "checks": check_facts(report),
        }


COMMAND = Command("smoke", "test a service at any address against the recorded evaluation of a version", run, Arguments)
