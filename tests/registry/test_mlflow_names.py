"""What users call their sources and labels becomes names that MLflow and ZenML take."""

import numpy as np
import pandas as pd
import pytest
from mlflow.utils.validation import _validate_metric_name, _validate_param_name
from zenml.models import RunMetadataRequest

from materializers.reviews import ReviewsMaterializer
from registry.tracking import _flatten, _metrics
from sentiment.checks import CheckReport
from sentiment.evaluation.measure import EvaluationSettings, evaluate
from sentiment.reviews.sources import SourceSettings
from sentiment.reviews.table import Reviews

SOURCES = ("reviews (1)", "Health & Beauty", "Dune: Part Two", "★★★", "../a//b", "x" * 400)


@pytest.fixture
def reviews():
    rows = 60 * len(SOURCES)
    texts = [f"Review {i}" for i in range(rows)]
    return Reviews(pd.DataFrame({"text": texts, "label": np.arange(rows) % 2, "source": SOURCES * 60}))


def test_metrics(reviews):
    settings = EvaluationSettings(resamples=100, latency_sample=2)
    evaluation = evaluate(
        lambda texts: np.linspace(0.05, 0.95, len(texts)),
        reviews, candidate="linear", engine="numpy", servable_fingerprint="abc", size_mb=1.5, settings=settings, seed=0,
    )  # fmt: skip
    names = [name for name, _ in _metrics(evaluation, CheckReport(suite="behaviour", checks=()))]
    assert "linear.source_reviews_1_.accuracy" in names
    for name in names:
        _validate_metric_name(name)


def test_labels():
    labels = {"1 (worst)": "negative", "good!": "positive", "don't know": "drop"}
    settings = {"seed": 1, "source": SourceSettings(labels=labels).model_dump(mode="json")}
    logged = dict(_flatten(settings))
    assert logged["source.labels"] == str(labels)
    assert logged["seed"] == "1"
    for name in logged:
        _validate_param_name(name)


def test_metadata(reviews):
    metadata = ReviewsMaterializer(uri="nowhere").extract_metadata(reviews)
    assert metadata["rows_by_source"]["Dune: Part Two"] == 60
    RunMetadataRequest.model_validate(
        {"project": "0" * 32, "resources": [], "values": metadata, "types": dict.fromkeys(metadata, "dict")}
    )
