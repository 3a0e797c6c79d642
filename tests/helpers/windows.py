"""Streams of made-up reviews with a model that is calibrated by construction."""

from dataclasses import replace

import numpy as np
import pandas as pd

from sentiment.monitoring.prediction_log import Feedback, Logged, Record
from sentiment.monitoring.reference import Reference, build_reference
from sentiment.monitoring.sketch import sketch
from sentiment.monitoring.window import Window
from sentiment.reviews.table import LABELS, Reviews

START, DAY = 1_700_000_000.0, 86_400.0
FILMS = [f"film{n}" for n in range(400)]
RECIPES = [f"recipe{n}" for n in range(400)]


def texts(rows, rng, words=FILMS, length=40):
    sizes = rng.poisson(length, rows) + 3
    return [" ".join(rng.choice(words, size)) for size in sizes]


def scored(rows, rng, *, share=0.5, sharpness=0.4):
    """Probabilities and truths: of a calibrated model where half of the texts are positive."""
    positive = rng.beta(sharpness, sharpness, 8 * rows)
    truth = (rng.random(8 * rows) < positive).astype(int)
    chosen = [np.flatnonzero(truth == label) for label in (0, 1)]
    ones = round(rows * share)
    rows_of = np.concatenate([chosen[0][: rows - ones], chosen[1][:ones]])
    rows_of = rng.permutation(rows_of)
    return positive[rows_of], truth[rows_of]


def reference(rows=1500, seed=1) -> Reference:
    rng = np.random.default_rng(seed)
    positive, truth = scored(rows, rng)
    frame = pd.DataFrame({"text": texts(rows, rng), "label": truth, "source": "films"})
    return build_reference(Reviews(frame), positive, model_version="3", rows=rows, seed=0)


def stream(rows=1000, seed=2, *, foreign=0.0, share=0.5, length=40, keep_text=False, version="3", wrong=0.0):
    """Records over a day, and their right labels; ``wrong``: the share of labels that are flipped."""
    rng = np.random.default_rng(seed)
    positive, truth = scored(rows, rng, share=share)
    truth = np.where(rng.random(rows) < wrong, 1 - truth, truth)
    said = texts(rows - round(rows * foreign), rng, length=length)
    said += texts(round(rows * foreign), rng, RECIPES, length)
    records = []
    for number, (text, p) in enumerate(zip(said, positive.tolist(), strict=True)):
        blank = Record.of(
            id=f"{number:032x}", time=START + number * DAY / rows, model_version=version, request=f"r{number // 4}",
            index=number % 4, label=LABELS[int(p > 0.5)], score=max(p, 1 - p), positive=p,
            abstained=max(p, 1 - p) < 0.6, text=text,
        )  # fmt: skip
        records.append(replace(blank, sketch=sketch(text), text=text if keep_text else None))
    return records, [LABELS[label] for label in truth]


def labelled(records, truths, every=1, **more):
    """Feedback for every n-th record, a minute after it."""
    return [
        Feedback(r.id, label, r.time + 60, **more) for r, label in zip(records[::every], truths[::every], strict=True)
    ]


def window(records, feedback=(), *, damaged=(), most=5000, version="3", **more) -> Window:
    logged = Logged(tuple(records), tuple(damaged), tuple(feedback))
    kept = {"start": START, "end": START + DAY, "seed": 0} | more
    return Window.of(logged, model_version=version, most=most, **kept)
