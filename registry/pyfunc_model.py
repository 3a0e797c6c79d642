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

    # without a type: MLflow would take the first column of a table, whichever it is
    def predict(self, context: PythonModelContext, model_input, params=None) -> list[dict[str, Any]]:  # type: ignore[no-untyped-def] # noqa: ANN001
        """Returns label, calibrated score and probability of the positive label for every text.

        Args:
            context: Of MLflow.
            model_input: Texts, or a table with a column ``text``.
            params: Not used.

        Raises:
            TypeError: If the input is neither, or holds anything but texts.
        """
        return [vars(prediction) for prediction in self.classifier.predict(_texts(model_input))]


def _texts(given: object) -> list[str]:
    import numpy as np
    import pandas as pd

    if isinstance(given, dict):
        given = pd.DataFrame(given)
    if isinstance(given, pd.DataFrame):
        named = [column for column in given.columns if column == "text"]
        unnamed = [column for column in given.columns if len(given.columns) == 1 and str(column) == "0"]
        if len(named or unnamed) != 1:
            names = ", ".join(map(repr, given.columns[:10]))
            raise TypeError(f"the table needs one column called 'text'; it has {names or 'no columns'}")
        given = given[(named or unnamed)[0]]
    if isinstance(given, pd.Series | np.ndarray):
        given = given.tolist()
    if not isinstance(given, list | tuple):
        raise TypeError(f"give a list of texts or a table with a column 'text', not {type(given).__name__}")
    return list(given)


mlflow.models.set_model(SentimentModel())
