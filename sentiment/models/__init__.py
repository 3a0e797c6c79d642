"""Candidates: trained, exported, and loaded again as the one Classifier that is evaluated and served."""

from sentiment.models.classifier import Classifier, Prediction

__all__ = ["Classifier", "Prediction"]
