"""The candidates that can be cross-validated are rows of the table of candidates, with the same settings."""

import pytest

from pipelines.candidates import CANDIDATES, CandidateSettings
from sentiment.evaluation.cross_validation import cross_validate
from sentiment.reviews.table import Reviews
from steps.evaluation.cross_validate import FITS
from tests.helpers import command_line


def test_each_fit_belongs_to_a_candidate_and_takes_its_settings():
    assert {"linear", "svm", "forest"} <= set(FITS) <= {candidate.name for candidate in CANDIDATES}
    settings = CandidateSettings()
    for name, (settings_type, _) in FITS.items():
        assert type(getattr(settings, name)) is settings_type


@pytest.mark.parametrize("name", FITS)
def test_every_fit_learns_a_clear_word(name):
    frame = command_line.sentences(120)
    reviews = Reviews(frame.assign(label=(frame["label"] == "pos").astype("int64")))
    settings_type, train = FITS[name]
    small = settings_type(**({"hash_bits": 12} if "hash_bits" in settings_type.model_fields else {}))

    def fit(others):
        return train(others, small, seed=1, class_weights=(1.0, 1.0))

    found = cross_validate(reviews, fit, candidate=name, folds=2, seed=1)
    assert found.accuracy.mean > 0.8
