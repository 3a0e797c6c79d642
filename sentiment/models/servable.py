"""A servable: the directory that is evaluated, promoted and served, and its manifest.

Standard library only: the service reads manifests without any of the training packages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sentiment.errors import UserError

MANIFEST = "manifest.json"
OPERATING_POINTS = "operating_points.json"  # of a cascade: accuracy against speed, measured when it was fitted
FORMAT = 3  # 2: other hashes of the linear model's words; 3: cascades of any number of stages


@dataclass(frozen=True)
class Manifest:
    """The content and origin of a servable directory.

    Attributes:
        kind: Which classifier reads the directory: a key of ``KINDS`` in :mod:`sentiment.models.classifier`.
        settings: Settings of the classifier besides its files (maximum length, truncation, stages, joins ...).
        temperature: Divides the log-odds before the logistic function (Guo et al. 2017), > 0.
        validation_accuracy: Accuracy in [0, 1] on the validation split; candidates are chosen by it.
        bias: Added to the log-odds before they are divided (Platt 1999); 0 unless labels were unbalanced or weighed.
        threshold: P(positive) above which the label is positive, in (0, 1).
        validation_macro_f1: Macro-F1 in [0, 1] on the validation split; candidates are chosen by it where the labels
            are unbalanced; None: of an older servable.
        training_seconds: Time of training, calibration and export; of a cascade also its stages'; None: not recorded.
        validation_log_loss: Mean negative log-likelihood there, in nats; None: of an older servable.
        data_fingerprint: SHA-256 of the splits it was trained on.
        versions: Versions of the packages that created it.
        git_commit: Commit of the code that created it; empty outside a checkout.
        engine: The library that computed it when it was calibrated: :attr:`Classifier.engine`; empty if unknown.
        instructions: The instructions for matrix products of that machine.
        labels: Names of class 0 and class 1.
    """

    kind: str
    settings: Mapping[str, Any]
    temperature: float
    validation_accuracy: float
    data_fingerprint: str
    versions: Mapping[str, str]
    git_commit: str = ""
    engine: str = ""
    instructions: tuple[str, ...] = ()
    labels: tuple[str, str] = ("negative", "positive")
    training_seconds: float | None = None
    validation_log_loss: float | None = None
    validation_macro_f1: float | None = None
    bias: float = 0.0
    threshold: float = 0.5
    format: int = FORMAT

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of a cascade's stages, the cheapest first; none for other kinds."""
        return tuple(self.settings.get("stages", ()))

    def write(self, directory: Path) -> None:
        """Writes ``manifest.json`` into the servable's directory."""
        (directory / MANIFEST).write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """Reads the manifest of a servable's directory.

        Raises:
            UserError: If there is none, or it cannot be read by this version of the code.
        """
        path = directory / MANIFEST
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise UserError(
                    f"is of format {values['format']}, not {FORMAT}", where=str(path), remedy="Train again."
                )
            return cls(**{**values, **{name: tuple(values[name]) for name in ("labels", "instructions")}})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"is not a readable servable manifest ({type(error).__name__})",
                where=str(path),
                remedy="Give the directory of a trained model.",
            ) from error


@dataclass(frozen=True)
class Servable:
    """A servable directory on the local disk."""

    path: Path
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "manifest", Manifest.read(self.path))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the model's files; versions, commit and measured times do not count."""
        digest = hashlib.sha256()
        for file in self.files:
            if file.name == OPERATING_POINTS:
                continue
            digest.update(file.relative_to(self.path).as_posix().encode())
            if file.name == MANIFEST:
                values = json.loads(file.read_text(encoding="utf-8"))
                content = json.dumps([values[k] for k in ("kind", "settings", "temperature", "labels")]).encode()
                for name, default in (("bias", Manifest.bias), ("threshold", Manifest.threshold)):
                    if values.get(name, default) != default:  # the fingerprints of older servables stay as they are
                        content += json.dumps([name, values[name]]).encode()
            else:
                content = file.read_bytes()
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()

    @property
    def files(self) -> list[Path]:
        """Every file of the directory, in a fixed order."""
        return sorted(p for p in self.path.rglob("*") if p.is_file())

    @property
    def size_mb(self) -> float:
        """Size of the directory in MB (10^6 bytes)."""
        return sum(p.stat().st_size for p in self.files) / 1e6


def package_versions(*names: str) -> dict[str, str]:
    """Installed versions of the packages named, for the manifest."""
    return {name: version(name) for name in names}
