from dataclasses import replace

import numpy as np
import pytest

from sentiment.monitoring.prediction_log import Feedback
from tests.helpers.windows import stream, texts


@pytest.fixture(scope="session")
def day():
    """Sure answers of a day with distinct texts: 60 unsure, 30 contradicted by feedback, 40 of foreign words."""
    records, _ = stream(400, keep_text=True, foreign=0.1)
    said = texts(400, np.random.default_rng(9))
    sure = [
        replace(r, label="positive", positive=0.97, score=0.97, abstained=False, text=said[i] if i < 360 else r.text)
        for i, r in enumerate(records)
    ]
    for i in range(0, 360, 6):
        sure[i] = replace(sure[i], positive=0.53, score=0.53, abstained=True)
    feedback = [Feedback(sure[i].id, "negative", sure[i].time + 60, f"client{i % 2}") for i in range(1, 360, 12)]
    return sure, feedback
