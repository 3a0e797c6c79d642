"""Scoring jobs of tests: small inputs, a linear model made in a moment, and workers in the same process."""

import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from sentiment.scoring.job import JobResult, Target, prepare_folder, run_job
from sentiment.scoring.scorer import Scorer
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.spool import bring_in
from sentiment.scoring.storage import Storage
from sentiment.scoring.workers import open_workers
from tests.helpers import tiny_transformer as tiny


@dataclass
class SameProcess:
    """Workers that are no processes of their own."""

    scorer: Scorer
    count: int = 1

    def engine(self):
        return self.scorer.engine()

    def run(self, method, items):
        for item in items:
            yield getattr(self.scorer, method)(item)


def make_scorer(servable, target: Target, settings, storage):
    return partial(
        Scorer, model_version="7", folder=target.folder, form=target.form, settings=settings, storage=storage
    )


def score(servable, source, output, *, restart=False, storage=None, on="same process", **settings) -> JobResult:
    """Runs a job as the step does; ``on`` may be ``workers``, then the settings' own workers run."""
    settings = ScoreSettings(input=str(source), output=str(output), **settings)
    storage = storage or Storage()
    target = Target.of(settings.output, settings.output_format)
    prepare_folder(target, storage, restart=restart)
    address, text_column = bring_in(settings, target, storage, restart=restart)
    make = make_scorer(servable, target, settings, storage)
    model = ("sentiment", "7", servable.fingerprint)
    if on == "workers":
        with open_workers(make, servable.path, settings) as workers:
            return run_job(address, target, model, settings, storage, workers, default_text_column=text_column)
    workers = SameProcess(make(str(servable.path)))
    return run_job(address, target, model, settings, storage, workers, default_text_column=text_column)


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    """Numbered reviews with quotation marks, line breaks and other writing."""
    draw = random.Random(seed)
    texts = tiny.reviews(count, seed).frame["text"].tolist()
    odd = ['He said "no", twice', "two\nlines, one text", "näïve 🙂", "<br />markup & more"]
    return pd.DataFrame(
        {
            "id": range(count),
            "text": [f"{text} {draw.choice(odd)}" if draw.random() < 0.2 else text for text in texts],
            "shop": [draw.choice(["north", "south"]) for _ in range(count)],
        }
    )


def read_parts(folder: Path) -> pd.DataFrame:
    """Returns the rows of all parts, in order."""
    return pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("parts/*.parquet"))], ignore_index=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Returns every file below a folder, but the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }
