"""The model that MLflow loads: as code (models-from-code), so that nothing is pickled."""

from __future__ import annotations

from typing import Any

import mlflow
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class SentimentModel(PythonModel):
    """Answers ``mlflow.pyfunc.load_model("models:/sentiment@champion").predict(["..."])``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Loads the servable that is stored beside this file."""
        from sentiment.models import Classifier

        self.classifier = Classifier.load(context.artifacts["servable"])

    def predict(
        self, context: PythonModelContext, model_input: list[str], params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Returns label, calibrated score and probability of the positive label for every text."""
        return [vars(prediction) for prediction in self.classifier.predict(list(model_input))]


mlflow.models.set_model(SentimentModel())
