"""The candidates that the train pipeline trains: their settings, and the only table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from sentiment.behaviour.augmentation import AugmentationSettings
from sentiment.models.cascade import CascadeSettings
from sentiment.models.checkpoint import LargeTransformerSettings, LstmSettings, TransformerSettings
from sentiment.models.class_weights import ClassWeightSettings
from sentiment.models.export import ExportSettings, LargeExportSettings
from sentiment.models.forest import ForestSettings
from sentiment.models.linear import LinearSettings
from sentiment.models.svm import SvmSettings
from sentiment.settings import Settings

Output = Any  # the output of a ZenML step, before the pipeline runs


class CandidateSettings(Settings):
    """The settings of the candidates; a candidate's own are the field of its name, which has ``enabled``."""

    seed: int = Field(13, ge=0, lt=2**32, description="seed of everything random")
    augmentation: AugmentationSettings = AugmentationSettings()
    class_weights: ClassWeightSettings = ClassWeightSettings()
    decision_threshold: Literal["auto"] | Annotated[float, Field(gt=0, lt=1)] = Field(
        "auto",
        description="P(positive) above which the label is positive; auto: 0.5, or the best macro-F1 on the validation "
        "split where one label is rare, and a reused candidate keeps its own; a number holds for reused ones, too",
    )
    linear: LinearSettings = LinearSettings()
    svm: SvmSettings = SvmSettings()
    forest: ForestSettings = ForestSettings()
    lstm: LstmSettings = LstmSettings()
    transformer: TransformerSettings = TransformerSettings()
    export: ExportSettings = ExportSettings()
    large_transformer: LargeTransformerSettings = LargeTransformerSettings()
    large_export: LargeExportSettings = LargeExportSettings()
    cascade: CascadeSettings = CascadeSettings()
    challenger: str | None = Field(
        None, description="candidate that is up for promotion; null: the best one on the validation split"
    )
    reuse: dict[str, str] = Field(
        default_factory=dict,
        description="candidates that are taken from an earlier version instead of being trained: name and version",
    )

    @field_validator("reuse", mode="before")
    @classmethod
    def _versions_as_text(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: str(number) if isinstance(number, int) else number for name, number in given.items()}

    @model_validator(mode="after")
    def _needs_are_enabled(self) -> CandidateSettings:
        enabled = {c.name for c in CANDIDATES if getattr(self, c.name).enabled}
        independent = [c.name for c in CANDIDATES if not c.needs(self)]
        if enabled.isdisjoint(independent):
            raise ValueError(f"enable at least one of {', '.join(independent)}")
        for candidate in CANDIDATES:
            if candidate.name in enabled and not enabled.issuperset(candidate.needs(self)):
                self._refuse_needs(candidate)
        if "cascade" in self.reuse:
            raise ValueError("a cascade is built from its stages: reuse these")
        for setting, names in (("reuse", self.reuse), ("challenger", [self.challenger] if self.challenger else [])):
            for name in names:
                if name not in enabled:
                    listed = ", ".join(sorted(enabled))
                    raise ValueError(f"{setting} names {name}, which is no enabled candidate: {listed}")
        return self

    def _refuse_needs(self, candidate: Candidate) -> None:
        needs = candidate.needs(self)
        others = [c.name for c in CANDIDATES if c is not candidate]
        unknown = [name for name in needs if name not in others]
        if unknown:
            nearest = get_close_matches(unknown[0], others, n=1, cutoff=0)[0]
            raise ValueError(f"{candidate.name} needs {unknown[0]!r}, which is no candidate; did you mean {nearest}?")
        remedy = f"enable them, or set {candidate.name}.enabled=false"
        raise ValueError(f"{candidate.name} needs {' and '.join(needs)}: {remedy}")


@dataclass(frozen=True)
class Candidate:
    """A row of the table.

    Attributes:
        name: Name of its settings, its servable and its evaluation.
        train: Adds its training steps to the pipeline and returns its servable. Takes the settings, the splits, the
            report on the splits, and the servables of the candidates that it needs, by name.
        needs: Names the candidates that it is built from, by the settings.
        reads: Further settings that change how it is trained.
    """

    name: str
    train: Callable[[CandidateSettings, Output, Output, Mapping[str, Output]], Output]
    needs: Callable[[CandidateSettings], Sequence[str]] = lambda _: ()
    reads: tuple[str, ...] = ()


def train_candidates(
    settings: CandidateSettings, splits: Output, split_checks: Output, earlier: Mapping[str, Output]
) -> dict[str, Output]:
    """Adds the training steps of every enabled candidate to the pipeline.

    Args:
        settings: The settings of the candidates.
        splits: The splits.
        split_checks: The report on the splits.
        earlier: The stored servables of the candidates that are reused, by name.

    Returns:
        Servables by name; those that cost least to serve come first, so that they win a tie.
    """
    from steps.training.reuse import reuse

    trained: dict[str, Output] = {}
    for candidate in sorted(CANDIDATES, key=lambda c: len(c.needs(settings))):
        name = candidate.name
        if name in settings.reuse:
            step = reuse.with_options(substitutions={"candidate": name})
            trained[name] = step(earlier[name], splits, name, id=f"reuse_{name}")
        elif getattr(settings, name).enabled:
            trained[name] = candidate.train(settings, splits, split_checks, trained)
    ordered = {c.name: trained[c.name] for c in CANDIDATES if c.name in trained}
    if settings.decision_threshold == "auto":  # as calibrated
        return ordered
    from steps.training.set_threshold import set_threshold

    moved = {}
    for name, servable in ordered.items():
        step = set_threshold.with_options(substitutions={"candidate": name})
        moved[name] = step(servable, splits, name, settings.decision_threshold, id=f"threshold_{name}")
    return moved


def _train_linear(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from steps.training.train_linear import train_linear

    return train_linear(splits, split_checks, settings.linear, settings.seed, settings.class_weights)


def _train_svm(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from steps.training.train_svm import train_svm

    return train_svm(splits, split_checks, settings.svm, settings.seed, settings.class_weights)


def _train_forest(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from steps.training.train_forest import train_forest

    return train_forest(splits, split_checks, settings.forest, settings.seed, settings.class_weights)


def _train_encoder(
    name: str, recipe: TransformerSettings, serving: ExportSettings, settings: CandidateSettings, *inputs: Output
) -> Output:
    """Adds the steps that check, fine-tune and export one encoder."""
    from sentiment.models.weights import find_model, fingerprint
    from steps.training.check_model import check_model
    from steps.training.export import export
    from steps.training.train_transformer import train_transformer

    weights = fingerprint(find_model(recipe.model))
    named = {"candidate": name}
    check_model(recipe, weights, serving.max_length, id=f"check_{name}")
    checkpoint = train_transformer.with_options(substitutions=named)(
        *inputs, recipe, weights, settings.augmentation, settings.seed, settings.class_weights,
        after=[f"check_{name}"], id=f"train_{name}",
    )  # fmt: skip
    return export.with_options(substitutions=named)(checkpoint, inputs[0], serving, settings.seed, id=f"export_{name}")


def _train_lstm(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from sentiment.models.weights import find_model, fingerprint
    from steps.training.export import export
    from steps.training.train_lstm import train_lstm

    recipe = settings.lstm
    tokenizer = fingerprint(find_model(recipe.tokenizer))
    checkpoint = train_lstm(
        splits, split_checks, recipe, tokenizer, settings.augmentation, settings.seed, settings.class_weights
    )
    # int8 is for matrix products, of which an LSTM has hardly any outside its own operation
    serving = ExportSettings(int8=False, max_length=recipe.serving_length)
    return export.with_options(substitutions={"candidate": "lstm"})(
        checkpoint, splits, serving, settings.seed, id="export_lstm"
    )


def _train_transformer(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    return _train_encoder("transformer", settings.transformer, settings.export, settings, splits, split_checks)


def _train_large_transformer(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    recipe, serving = settings.large_transformer, settings.large_export
    return _train_encoder("large_transformer", recipe, serving, settings, splits, split_checks)


def _build_cascade(
    settings: CandidateSettings, splits: Output, split_checks: Output, trained: Mapping[str, Output]
) -> Output:
    from steps.training.build_cascade import build_cascade

    names = settings.cascade.stages
    return build_cascade([trained[name] for name in names], splits, settings.cascade)


CANDIDATES = (  # the cheapest to serve first
    Candidate("linear", _train_linear),
    Candidate("svm", _train_svm),
    Candidate("forest", _train_forest),
    Candidate("lstm", _train_lstm, reads=("augmentation",)),
    Candidate("cascade", _build_cascade, needs=lambda settings: settings.cascade.stages),
    Candidate("transformer", _train_transformer, reads=("augmentation", "export")),
    Candidate("large_transformer", _train_large_transformer, reads=("augmentation", "large_export")),
)
