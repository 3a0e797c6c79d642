"""Every typed artifact is stored in a real ZenML artifact store and read back unchanged."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from sentiment.checks import Check, CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.evaluation.cross_validation import CrossValidation, Fold
from sentiment.evaluation.leaderboard import build_leaderboard
from sentiment.evaluation.measure import Evaluation, EvaluationSettings, evaluate
from sentiment.models.checkpoint import TrainingReport, TransformerCheckpoint, TransformerSettings
from sentiment.models.servable import Manifest, Servable
from sentiment.monitoring.prediction_log import Feedback, Logged, Record
from sentiment.monitoring.reference import build_reference
from sentiment.monitoring.sketch import sketch
from sentiment.monitoring.window import Window
from sentiment.promotion.decision import Decision
from sentiment.reviews.table import Reviews, Splits


def reviews(rows=30, seed=0):
    draw = np.random.default_rng(seed)
    texts = [f"Review {i}, naïve “quotes” & <b>tags</b> {'word ' * int(draw.integers(1, 300))}🙂" for i in range(rows)]
    return Reviews(
        pd.DataFrame({"text": texts, "label": np.arange(rows) % 2, "source": ["shop", "blog"] * (rows // 2)})
    )


def splits(tmp_path):
    return Splits(reviews(40, 1), reviews(10, 2), reviews(12, 3))


def evaluation(tmp_path):
    return evaluate(
        lambda texts: np.linspace(0.05, 0.95, len(texts)),
        reviews(),
        candidate="linear",
        engine="numpy",
        servable_fingerprint="abc",
        size_mb=1.5,
        settings=EvaluationSettings(resamples=100, latency_sample=2),
        seed=0,
    )


def check_report(tmp_path):
    check = Check(name="typos", severity="warning", passed=False, observed="3 %", limit="2 %", score=0.03, count=100)
    return CheckReport(suite="behaviour", checks=(check.model_copy(update={"examples": ("gøød <i>",)}),))


def decision(tmp_path):
    rules = (Check(name="floor: accuracy", passed=True, observed="0.91", limit="0.9", detail="80 reviews"),)
    return Decision(promote=True, reason="it is better", challenger="cascade", champion="3", rules=rules)


def cross_validation(tmp_path):
    folds = (Fold(reviews=10, accuracy=0.9, macro_f1=0.85), Fold(reviews=11, accuracy=0.8, macro_f1=0.75))
    return CrossValidation(candidate="linear", data_fingerprint="d4ta", seed=3, folds=folds)


def leaderboard(tmp_path):
    manifest = Manifest("linear", {}, 1.0, 0.9, "data", {}, training_seconds=1.5)
    measured = evaluation(tmp_path)
    fixed = replace(measured, latency_ms=measured.latency_ms.model_copy(update={"p95": 2.0}), reviews_per_second=50.0)
    return build_leaderboard([fixed], [check_report(tmp_path)], [manifest], [cross_validation(tmp_path)])


def servable(tmp_path):
    folder = tmp_path / "servable"
    (folder / "linear").mkdir(parents=True)
    (folder / "linear" / "model.bin").write_bytes(bytes(range(256)))
    Manifest("cascade", {"band": 1.5}, 1.2, 0.9, "data", {"numpy": "2"}, "c0ffee").write(folder)
    return Servable(folder)


def checkpoint(tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir(exist_ok=True)
    save_file({"weight": np.arange(6, dtype=np.float32)}, folder / "model.safetensors")
    report = TrainingReport(
        settings=TransformerSettings(), seed=1, source="s", precision="bf16", train_fingerprint="t",
        validation_fingerprint="v", steps=10, best_step=5, examples=320, tokens=9000, seconds=1.5,
        validation_accuracy=0.9, validation_loss=0.3, versions={"torch": "2"},
    )  # fmt: skip
    (folder / "training.json").write_text(report.model_dump_json())
    return TransformerCheckpoint.load(folder)


def bento(tmp_path):
    return Bento(tag="sentiment:v3-abc", model="sentiment", version="3", labels={"git_commit": "c0ffee"})


def deployment(tmp_path):
    return Deployment(
        bento=bento(tmp_path), http="http://127.0.0.1:3000", grpc="127.0.0.1:3001", since="2026-11-21T08:00:00+00:00",
        front=True, run="deploy-1", service="5e1f",
    )  # fmt: skip


def window(tmp_path):
    records = [
        Record(
            id=f"{n:032x}", time=1000.0 + n, model_version="3", request="r", index=n, label="positive", score=0.75,
            positive=0.75, abstained=False, words=2, characters=9, sketch=sketch(f"film {n}"),
            text="na\u00efve" if n else None,
        )
        for n in range(3)
    ]  # fmt: skip
    logged = Logged(tuple(records), (1000.5,) * 4, (Feedback(records[1].id, "negative", 1002.5, "client"),))
    return Window.of(logged, model_version="3", start=1000.0, end=2000.0, most=10, seed=0)


def reference(tmp_path):
    return build_reference(reviews(), np.linspace(0.05, 0.95, 30), model_version="3", rows=20, seed=0)


def same_tables(first, second) -> bool:
    pd.testing.assert_frame_equal(first.predictions, second.predictions)
    kept = [{k: v for k, v in vars(e).items() if k not in ("predictions", "fingerprint")} for e in (first, second)]
    return kept[0] == kept[1] and first.fingerprint == second.fingerprint


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def same_files(first, second) -> bool:
    return files(first.path) == files(second.path)


def same_evaluation(first: Evaluation, second: Evaluation) -> bool:
    pd.testing.assert_frame_equal(first.predictions, second.predictions)
    values = [{k: v for k, v in vars(e).items() if k != "predictions"} for e in (first, second)]
    return values[0] == values[1]


def same_splits(first: Splits, second: Splits) -> bool:
    for name in ("train", "validation", "test"):
        pd.testing.assert_frame_equal(getattr(first, name).frame, getattr(second, name).frame)
    return first.fingerprint == second.fingerprint


def same_reviews(first: Reviews, second: Reviews) -> bool:
    pd.testing.assert_frame_equal(first.frame, second.frame)
    return first.fingerprint == second.fingerprint


def same(first, second) -> bool:
    return first == second


# make, compare, whether the content alone decides its hash, words that its page must show
ARTIFACTS = {
    "reviews": (lambda tmp_path: reviews(), same_reviews, True, "shop"),
    "splits": (splits, same_splits, True, "validation"),
    "evaluation": (evaluation, same_evaluation, False, "linear"),
    "check_report": (check_report, same, True, "gøød &lt;i&gt;"),
    "decision": (decision, same, True, "it is better"),
    "cross_validation": (cross_validation, same, True, "d4ta"),
    "leaderboard": (leaderboard, same, True, "0.850<small>± 0.071</small>"),
    "servable": (servable, same_files, True, "c0ffee"),
    "checkpoint": (checkpoint, same_files, True, "bf16"),
    "bento": (bento, same, True, "c0ffee"),
    "window": (window, same_tables, True, "damaged lines"),
    "reference": (reference, same_tables, True, "held-out reviews"),
    "deployment": (deployment, same, True, "http://127.0.0.1:3000"),
}


@pytest.fixture(scope="module", autouse=True)
def store():
    import materializers  # noqa: F401  # registers them


@pytest.mark.parametrize("name", ARTIFACTS)
def test_is_read_back_unchanged_and_has_a_page(name, tmp_path):
    from zenml import load_artifact, save_artifact
    from zenml.client import Client

    make, equal, _, shown = ARTIFACTS[name]
    value = make(tmp_path)
    stored = save_artifact(value, f"round_trip_{name}")
    back = load_artifact(f"round_trip_{name}")
    assert type(back) is type(value)
    assert equal(back, value)
    assert stored.materializer.import_path.startswith("materializers.")
    (visualization,) = stored.visualizations
    assert visualization.type.value == "html"
    with Client().active_stack.artifact_store.open(visualization.uri, "r") as page:
        html = page.read()
    assert shown in html
    assert "<script" not in html


@pytest.mark.parametrize("name", ARTIFACTS)
def test_equal_content_has_an_equal_hash(name, tmp_path):
    from zenml import save_artifact

    make, _, by_content, _ = ARTIFACTS[name]
    (tmp_path / "again").mkdir()
    first = save_artifact(make(tmp_path), f"first_{name}").content_hash
    second = save_artifact(make(tmp_path / "again"), f"second_{name}").content_hash
    assert (first is not None and first == second) if by_content else first is None


def test_other_content_has_another_hash(tmp_path):
    from zenml import save_artifact

    passed = check_report(tmp_path)
    failed = passed.model_copy(update={"suite": "leakage"})
    assert save_artifact(passed, "one").content_hash != save_artifact(failed, "other").content_hash
    assert save_artifact(reviews(seed=1), "one").content_hash != save_artifact(reviews(seed=2), "other").content_hash


def test_artifacts_are_stored_in_open_formats(tmp_path):
    from zenml import save_artifact

    known = {".parquet", ".json", ".html", ".safetensors", ".bin"}  # .bin: stands in for a model
    for name, (make, *_) in ARTIFACTS.items():
        (tmp_path / name).mkdir()
        folder = Path(save_artifact(make(tmp_path / name), f"formats_{name}").uri)
        assert {p.suffix for p in folder.rglob("*") if p.is_file()} <= known, name


def test_lists_of_artifacts_are_stored_item_by_item_without_pickle(tmp_path):
    """The decision's input: ZenML stores a list with its own materializer, and the items with ours."""
    from zenml import load_artifact, save_artifact

    reports = [check_report(tmp_path), check_report(tmp_path).model_copy(update={"suite": "leakage"})]
    folder = Path(save_artifact(reports, "reports").uri)
    assert load_artifact("reports") == reports
    assert not [p for p in folder.rglob("*") if "pickle" in p.name or p.suffix == ".pkl"]
    metadata = json.loads((folder / "metadata.json").read_text())
    assert "cloudpickle" not in json.dumps(metadata)
