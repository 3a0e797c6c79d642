"""The candidates that the train pipeline trains: their settings, and the only table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, model_validator

from sentiment.behaviour.augmentation import AugmentationSettings
from sentiment.models.cascade import CascadeSettings
from sentiment.models.checkpoint import TransformerSettings
from sentiment.models.export import ExportSettings
from sentiment.models.linear import LinearSettings
from sentiment.settings import Settings

Output = Any  # the output of a ZenML step, before the pipeline runs


class CandidateSettings(Settings):
    """The settings of the candidates; a candidate's own are the field of its name, which has ``enabled``."""

    seed: int = Field(13, ge=0, lt=2**32, description="seed of everything random")
    augmentation: AugmentationSettings = AugmentationSettings()
    linear: LinearSettings = LinearSettings()
    transformer: TransformerSettings = TransformerSettings()
    export: ExportSettings = ExportSettings()
    cascade: CascadeSettings = CascadeSettings()

    @model_validator(mode="after")
    def _needs_are_enabled(self) -> CandidateSettings:
        enabled = {c.name for c in CANDIDATES if getattr(self, c.name).enabled}
        independent = [c.name for c in CANDIDATES if not c.needs]
        if enabled.isdisjoint(independent):
            raise ValueError(f"enable at least one of {' and '.join(independent)}")
        for candidate in CANDIDATES:
            if candidate.name in enabled and not enabled.issuperset(candidate.needs):
                needs = " and ".join(candidate.needs)
                remedy = f"enable them, or set {candidate.name}.enabled=false"
                raise ValueError(f"{candidate.name} needs {needs}: {remedy}")
        return self


@dataclass(frozen=True)
class Candidate:
    """A row of the table.

    Attributes:
        name: Name of its settings, its servable and its evaluation.
        train: Adds its training steps to the pipeline and returns its servable. Takes the settings, the splits, the
            report on the splits, and the servables of the candidates that it needs, by name.
        needs: Candidates that it is built from.
    """

    name: str
    train: Callable[[CandidateSettings, Output, Output, Mapping[str, Output]], Output]
    needs: tuple[str, ...] = ()


def train_candidates(settings: CandidateSettings, splits: Output, split_checks: Output) -> dict[str, Output]:
    """Adds the training steps of every enabled candidate to the pipeline.

    Args:
        settings: The settings of the candidates.
        splits: The splits.
        split_checks: The report on the splits.

    Returns:
        Servables by name; those that cost least to serve come first, so that they win a tie.
    """
    trained: dict[str, Output] = {}
    for candidate in sorted(CANDIDATES, key=lambda c: len(c.needs)):
        if getattr(settings, candidate.name).enabled:
            trained[candidate.name] = candidate.train(settings, splits, split_checks, trained)
    return {c.name: trained[c.name] for c in CANDIDATES if c.name in trained}


def _train_linear(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from steps.training.train_linear import train_linear

    return train_linear(splits, split_checks, settings.linear, settings.seed)


def _train_transformer(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from sentiment.models.weights import find_model, fingerprint
    from steps.training.check_model import check_model
    from steps.training.export import export
    from steps.training.train_transformer import train_transformer

    weights = fingerprint(find_model(settings.transformer.model))
    augmentation, seed = settings.augmentation, settings.seed
    check_model(settings.transformer, weights, settings.export.max_length)
    checkpoint = train_transformer(
        splits, split_checks, settings.transformer, weights, augmentation, seed, after=["check_model"]
    )
    return export(checkpoint, splits, settings.export, seed)


def _build_cascade(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from steps.training.build_cascade import build_cascade

    return build_cascade(trained["linear"], trained["transformer"], splits, settings.cascade)


CANDIDATES = (  # the cheapest to serve first
    Candidate("linear", _train_linear),
    Candidate("cascade", _build_cascade, needs=("linear", "transformer")),
    Candidate("transformer", _train_transformer),
)
