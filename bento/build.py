"""Servable to Bento: the model in BentoML's model store, the service's code and pins around it.

A Bento names its model by a tag that never moves, so a rollback serves the same model again. A Bento is built
in its own process (``python -m bento.build``), because BentoML keeps a service's arguments for the life of a process.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bento import store
from sentiment.deployment import Bento
from sentiment.imports import ROOT, import_closure, module_files
from sentiment.models.servable import Servable

REQUIREMENTS = "bento/requirements.txt"
PAGE = "bento/page.html"


def build(servable: Path, *, model: str, version: str, labels: Mapping[str, str]) -> Bento:
    """Packages a servable; an intact Bento of the same servable, code and labels is reused.

    Args:
        servable: Directory of the servable.
        model: Name of the model.
        version: Number of its version.
        labels: Its lineage, shown by the service and in the Bento store.

    Raises:
        UserError: If BentoML cannot build it.
    """
    bento = describe(servable, model=model, version=version, labels=labels)
    if not _is_whole(bento, servable):
        spec = json.dumps({"servable": str(servable), **bento.model_dump()})
        store.fill([sys.executable, "-m", "bento.build"], bento.tag, stdin=spec, folder=ROOT)
    return bento


def describe(servable: Path, *, model: str, version: str, labels: Mapping[str, str]) -> Bento:
    """Describes the Bento that ``build`` would build, without building it."""
    fingerprint = Servable(servable).fingerprint
    return Bento(
        tag=f"{_tag_part(model)}:v{_tag_part(version)}-{fingerprint[:8]}-{code_fingerprint()[:8]}",
        model=model,
        version=version,
        labels={"model": model, "model_version": version, "fingerprint": fingerprint, **labels},
    )


def code_fingerprint() -> str:
    """Returns the SHA-256 (hex) of the code and pins in every Bento."""
    digest = hashlib.sha256()
    for name in _code():
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    return digest.hexdigest()


def _is_whole(bento: Bento, servable: Path) -> bool:
    """Whether the stores hold the Bento with every byte of its sources."""
    model, folder = (store.home() / path for path in store.paths(bento.tag))
    copies = [(file, model / file.relative_to(servable)) for file in Servable(servable).files]
    copies += [(ROOT / name, folder / "src" / name) for name in _code()]
    try:
        labels = yaml.safe_load((folder / "bento.yaml").read_text(encoding="utf-8"))["labels"]
        return labels == bento.labels and all(filecmp.cmp(*pair, shallow=False) for pair in copies)
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):  # files are missing or damaged
        return False


def _code() -> list[str]:
    """Lists the files of the project that the service needs, sorted."""
    return sorted([*module_files(import_closure("bento.service")), REQUIREMENTS, PAGE])


def _tag_part(name: str) -> str:
    """Replaces characters that BentoML's tags may not have."""
    return re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-_.") or "model"


def _build_here(spec: Mapping[str, Any]) -> None:
    """Builds the Bento of a specification from ``build`` into an empty store."""
    import bentoml

    name, _, version = spec["tag"].partition(":")
    with bentoml.models.create(store.model_tag(spec["tag"]), labels=dict(spec["labels"])) as stored:
        shutil.copytree(spec["servable"], stored.path, dirs_exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sentiment-bento-") as code:
        for file in _code():  # BentoML scans every file of its build folder, and .venv has 50,000
            copy = Path(code, file)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, copy)
        bentoml.bentos.build(
            "bento.service:SentimentService",
            name=name,
            version=version,
            labels=dict(spec["labels"]),
            build_ctx=code,
            python={"requirements_txt": REQUIREMENTS, "lock_packages": False},
            docker={"python_version": "3.11"},
            args={"model": store.model_tag(spec["tag"])},
        )


if __name__ == "__main__":
    _build_here(json.loads(sys.stdin.read()))
