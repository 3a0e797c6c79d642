"""Servable to Bento: the model in BentoML's model store, the service's code and pins around it.

A Bento names its model by a tag that never moves: a rollback serves what was served. Building happens in a process of
its own (``python -m bento.build``), as BentoML keeps a service's arguments for the life of a process.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentiment.deployment import Bento
from sentiment.errors import UserError
from sentiment.models.servable import Servable

ROOT = Path(__file__).resolve().parents[1]
CODE = (
    "bento/*.py",
    "bento/stubs/*.py",
    "bento/stubs/*.pyi",
    "bento/requirements.txt",
    "sentiment/__init__.py",
    "sentiment/errors.py",
    "sentiment/models/__init__.py",
    "sentiment/models/allocation.py",
    "sentiment/models/classifier.py",
    "sentiment/models/explanation.py",
    "sentiment/models/servable.py",
    "sentiment/models/truncation.py",
    "sentiment/monitoring/*.py",
)
BUILDS = ("bento/build.py", "bento/client.py")  # of the package, what does not run in the service


def build(servable: Path, *, model: str, version: str, labels: Mapping[str, str]) -> Bento:
    """Packages a servable; the same servable and code give the Bento that is there already.

    Args:
        servable: Directory of the servable.
        model: Name of the model.
        version: Number of its version.
        labels: Where it comes from; shown by the service and in the Bento store.

    Raises:
        UserError: If BentoML cannot build it.
    """
    fingerprint = Servable(servable).fingerprint
    suffix = f"v{_tag_part(version)}-{fingerprint[:8]}"
    bento = Bento(
        tag=f"{_tag_part(model)}:{suffix}-{code_fingerprint()[:8]}",
        model=model,
        version=version,
        labels={"model": model, "model_version": version, "fingerprint": fingerprint, **labels},
    )
    spec = {"servable": str(servable), "model_tag": f"{_tag_part(model)}:{suffix}", **bento.model_dump()}
    done = subprocess.run(
        [sys.executable, "-m", "bento.build"],
        input=json.dumps(spec),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"cannot be built: {reason}", where=f"Bento {bento.tag}", remedy="See BentoML's message.")
    return bento


def code_fingerprint() -> str:
    """SHA-256 (hex) of the code and pins that every Bento carries."""
    digest = hashlib.sha256()
    for file in sorted(file for pattern in CODE for file in ROOT.glob(pattern)):
        if file.relative_to(ROOT).as_posix() not in BUILDS:
            digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _tag_part(name: str) -> str:
    """BentoML's tags know lower-case letters, digits and a few signs."""
    return re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-_.") or "model"


def _build_here(spec: Mapping[str, Any]) -> None:
    """Builds what ``build`` described, unless it is there."""
    import bentoml

    tag, model_tag = spec["tag"], spec["model_tag"]
    name, _, version = tag.partition(":")
    if not _exists(bentoml.models, model_tag):
        with bentoml.models.create(model_tag, labels=dict(spec["labels"])) as stored:
            shutil.copytree(spec["servable"], stored.path, dirs_exist_ok=True)
    if not _exists(bentoml.bentos, tag):
        bentoml.bentos.build(
            "bento.service:SentimentService",
            name=name,
            version=version,
            labels=dict(spec["labels"]),
            include=list(CODE),
            exclude=list(BUILDS),
            build_ctx=str(ROOT),
            python={"requirements_txt": "bento/requirements.txt", "lock_packages": False},
            docker={"python_version": "3.11"},
            args={"model": model_tag},
        )


def _exists(store: Any, tag: str) -> bool:  # noqa: ANN401  # bentoml.models or bentoml.bentos: modules
    from bentoml.exceptions import NotFound

    try:
        store.get(tag)
    except NotFound:
        return False
    return True


if __name__ == "__main__":
    _build_here(json.loads(sys.stdin.read()))
