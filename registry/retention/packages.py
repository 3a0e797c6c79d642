"""Bentos and their models on this machine, as retention reads and deletes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bento import store
from registry.retention.rules import Rule
from sentiment.deployment import Version


@dataclass(frozen=True)
class Package:
    """A Bento in the store of this machine.

    Attributes:
        tag: Name and version in the store.
        fingerprint: Of its servable.
        version: Number of the version in it.
        created: When it was built.
    """

    tag: str
    fingerprint: str
    version: str
    created: datetime


def list_packages(model: str) -> list[Package]:
    """Lists the Bentos of a model, oldest first; those of other projects are left out."""
    import yaml

    found = []
    for file in (store.home() / "bentos").glob("*/*/bento.yaml"):
        with suppress(OSError, yaml.YAMLError, AttributeError):  # not ours, or gone in between
            labels = yaml.safe_load(file.read_text(encoding="utf-8")).get("labels") or {}
            if labels.get("model") == model and labels.get("model_version") and labels.get("fingerprint"):
                tag = f"{file.parents[1].name}:{file.parent.name}"
                created = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                found.append(Package(tag, labels["fingerprint"], str(labels["model_version"]), created))
    return sorted(found, key=lambda package: package.created)


def choose_packages(
    packages: Sequence[Package], known: Iterable[Version], old: Collection[str], rule: Rule, in_use: Collection[str]
) -> list[Package]:
    """Chooses the Bentos that may be deleted: of old versions, and all but the newest of a version that stays.

    Args:
        packages: Oldest first.
        known: Every version of the model: the Bentos of another ZenML's versions stay.
        old: Numbers of the versions that may be deleted.
        rule: The limits.
        in_use: Tags of Bentos that run, or are live.
    """
    ours = {(version.number, version.fingerprint) for version in known}
    by_version: dict[str, list[Package]] = defaultdict(list)
    for package in packages:
        if (package.version, package.fingerprint) in ours:
            by_version[package.version].append(package)
    unneeded = [p for number, built in by_version.items() for p in (built if number in old else built[:-1])]
    return [p for p in unneeded if p.tag not in in_use and (p.version in old or p.created < rule.before)]


def folders_of(packages: Sequence[Package]) -> list[Path]:
    """Returns the folders of Bentos, and of models that no other Bento uses."""
    removed = {package.tag for package in packages}
    models_in_use = {
        store.model_tag(f"{file.parents[1].name}:{file.parent.name}")
        for file in (store.home() / "bentos").glob("*/*/bento.yaml")
        if f"{file.parents[1].name}:{file.parent.name}" not in removed
    }
    folders: list[Path] = []
    for tag in sorted(removed):
        model, bento = (store.home() / path for path in store.paths(tag))
        folders += [bento] if store.model_tag(tag) in models_in_use else [bento, model]
    return [folder for folder in dict.fromkeys(folders) if folder.exists()]
