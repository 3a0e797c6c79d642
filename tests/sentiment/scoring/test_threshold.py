"""Bulk scoring labels by the model's threshold."""

from dataclasses import replace

import numpy as np
import pytest

from sentiment.models import Classifier
from sentiment.models.servable import Servable
from tests.helpers import scoring, tiny_servables


def test_every_row_and_every_count_follows_the_threshold(tmp_path):
    servable = tiny_servables.save_linear(tmp_path / "servable")
    replace(servable.manifest, temperature=20.0).write(servable.path)  # so that probabilities differ
    frame = scoring.rows(100)
    frame.to_parquet(tmp_path / "a.parquet")
    p = Classifier.load(servable.path).predict_proba(frame["text"].tolist())
    threshold = float(np.quantile(p, 0.8))
    replace(Servable(servable.path).manifest, threshold=threshold).write(servable.path)

    job = {"abstain_below": 0.7, "source_column": "shop"}
    done = scoring.score(Servable(servable.path), tmp_path / "a.parquet", tmp_path / "out", **job)
    scored = scoring.read_parts(tmp_path / "out")
    answers = Classifier.load(servable.path).predict(frame["text"].tolist())
    assert scored["label"].tolist() == [answer.label for answer in answers]
    assert scored["score"].tolist() == pytest.approx([answer.score for answer in answers], abs=1e-6)
    assert scored["abstained"].tolist() == (scored["score"] < 0.7).tolist()
    positives = sum(answer.label == "positive" for answer in answers)
    assert 0 < positives < (p > 0.5).sum()
    totals = done.tally.totals
    assert (totals.positives, totals.abstained) == (positives, scored["abstained"].sum())
    assert sum(source.positives for source in totals.sources.values()) == positives
    sample = done.tally.sample_frame(0.7, threshold)
    assert sample["score"].tolist() == pytest.approx(
        np.where(sample["positive"] > threshold, sample["positive"], 1 - sample["positive"])
    )
