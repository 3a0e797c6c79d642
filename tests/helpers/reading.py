"""Reads sources in tests."""

import pandas as pd
import pytest

from sentiment.errors import UserError
from sentiment.reviews.sources import SourceSettings, load_reviews


def table(n=120, labels=("pos", "neg")):
    return pd.DataFrame(
        {"text": [f"opinion {i}" for i in range(n)], "label": [labels[i % len(labels)] for i in range(n)]}
    )


def load(source, **values):
    return load_reviews(SourceSettings(source=source, **values), seed=1).frame


def refusal(source, **values):
    with pytest.raises(UserError) as error:
        load(source, **values)
    assert "\n" not in str(error.value)
    return str(error.value)
