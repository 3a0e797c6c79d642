"""The settings of a search and of its trials: the values of ``configs/tune.yaml`` in those of the profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.candidates import CANDIDATES, CandidateSettings
from pipelines.settings import TrainSettings, read_train_settings
from sentiment.errors import UserError
from sentiment.reviews import databases
from sentiment.settings import nearest_of, read_settings
from sentiment.tuning.settings import TuneSettings

COMMON = ("class_weights", "decision_threshold")  # settings of every candidate
FIXED = {"seed", "challenger", "reuse"}  # settings of candidates that no trial changes


def read_tune_settings(path: Path, overrides: Sequence[str]) -> TuneSettings:
    """Reads the settings of a search, and tries both ends of every range in the profile.

    Raises:
        UserError: If a key or a value does not fit the profile.
    """
    settings = read_settings(TuneSettings, path, overrides)
    if settings.storage and databases.holds_secret(settings.storage):
        raise UserError(
            "the URL of the storage holds a password, and settings are stored",
            where=f"{path}, key storage",
            remedy="Put the URL into an environment variable such as TUNING_DB, and write $TUNING_DB.",
        )
    names = [candidate.name for candidate in CANDIDATES]
    if settings.candidate not in names:
        raise UserError(
            f"there is no candidate {settings.candidate!r}",
            where=f"{path}, key candidate",
            remedy=nearest_of(settings.candidate, names),
        )
    profile = settings_of_trial(settings, {})
    for section in ("space", "trial"):
        for key in getattr(settings, section):
            _require_trained(key, settings.candidate, profile, f"{path}, key {section}.{key}")
    for key, parameter in settings.space.items():
        for value in parameter.ends:
            try:
                settings_of_trial(settings, {key: value})
            except UserError as error:
                raise UserError(error.what, where=f"{path}, key space.{key}", remedy=error.remedy) from error
    return settings


def settings_of_trial(settings: TuneSettings, values: Mapping[str, Any], *, seed: int | None = None) -> TrainSettings:
    """Returns the profile with the values of a trial; its candidate and the stages of this one alone are enabled.

    Args:
        settings: The search.
        values: Of the trial, by key; none: of the base.
        seed: Seed of the training; None: that of the profile.

    Raises:
        UserError: If a key or a value does not fit the profile.
    """
    given = {"challenger": None, "reuse": {}, **settings.trial, **values, **({} if seed is None else {"seed": seed})}
    overrides = [f"{key}={_as_yaml(value)}" for key, value in given.items()]
    wanted = {settings.candidate}
    row = next(candidate for candidate in CANDIDATES if candidate.name == settings.candidate)
    everything = [f"{candidate.name}.enabled=true" for candidate in CANDIDATES]
    wanted |= set(row.needs(read_train_settings(settings.base, [*overrides, *everything])))
    enabled = [f"{c.name}.enabled={str(c.name in wanted).lower()}" for c in CANDIDATES]
    return read_train_settings(settings.base, [*overrides, *enabled])


def _require_trained(key: str, candidate: str, profile: TrainSettings, where: str) -> None:
    """Raises a UserError for a key that does not change how the candidate is trained."""
    root, _, last = key.partition(".")
    known = CandidateSettings.model_fields.keys() - FIXED
    trained = [c for c in CANDIDATES if getattr(profile, c.name).enabled]
    read = {*COMMON, *(section for c in trained for section in (c.name, *c.reads))}
    if root in TrainSettings.model_fields.keys() - known or last == "enabled":
        what = key if last == "enabled" else root
        raise UserError(
            f"{what} does not change how a candidate is trained, only on what, or how it is judged",
            where=where,
            remedy="Change it in the base profile.",
        )
    if root in known - read:
        raise UserError(
            f"{root} does not change {candidate}", where=where, remedy=f"Its settings: {', '.join(sorted(read))}."
        )


def _as_yaml(value: object) -> str:
    import yaml

    return str(yaml.safe_dump(value, default_flow_style=True, width=10_000)).removesuffix("...\n").strip()
