"""Canary, shadow and monitoring where two engines run the same model, beside the smoke test on each engine."""

import time
import uuid

import httpx
import pytest

from bento.build import build
from sentiment.models import Classifier
from sentiment.models.engines.choice import BF16, INT8, ONNX, VARIABLE
from sentiment.monitoring.checks import check_window
from sentiment.monitoring.prediction_log import read_log
from sentiment.monitoring.reference import build_reference
from sentiment.monitoring.settings import MonitorSettings, WindowSettings
from sentiment.monitoring.window import Window
from sentiment.reviews.table import Reviews
from serving.rollouts import shadow
from serving.rollouts.access import Access
from serving.rollouts.canary import watch_canary
from serving.rollouts.settings import RolloutSettings
from serving.rollouts.smoke_set import Known
from tests.helpers import command_line, tiny_servables

SETTINGS = RolloutSettings(mode="canary", seconds=0.1, min_requests=10, max_latency_ratio=1000)  # cores may be busy
REVIEWS = command_line.sentences(240)
DRIFT = ("input_drift", "score_drift", "label_shift", "abstention")


@pytest.mark.slow
@pytest.mark.parametrize("engine", [BF16, INT8])
def test_a_rollout_and_the_monitoring_pass_on_another_engine(serve, engine, tmp_path, monkeypatch):
    servable = tiny_servables.save("transformer", tmp_path / "servable").path  # in a cascade, the linear model decides
    tag = build(servable, model="engines", version="7", labels={}).tag
    start = time.time()
    texts = REVIEWS["text"].tolist()
    folders = {name: tmp_path / f"log of {name}" for name in (ONNX, engine)}
    live, new = (serve(tag=tag, engine=name, log=folder) for name, folder in folders.items())
    known = [Known(text, 0.5) for text in texts[:8]]

    def ask_both():
        for text in texts:
            request = {"json": {"texts": [text]}, "headers": {"x-request-id": uuid.uuid4().hex}}
            for service in (live, new):
                httpx.post(f"{service.http}/v1/predict", **request, trust_env=False).raise_for_status()

    canary = watch_canary(ask_both, Access(new.http, new.grpc), Access(live.http, live.grpc), known, SETTINGS)
    assert canary.passed, canary.failures()
    assert not new.stop() and not live.stop()
    logged = {name: read_log(folder) for name, folder in folders.items()}

    found = shadow.pairs(logged[ONNX].records, logged[engine].records)
    assert len(found) == len(texts)
    assert shadow.judge(found, SETTINGS).passed

    monkeypatch.setenv(VARIABLE, ONNX)  # evaluated on this engine
    positive = Classifier.load(servable).predict_proba(texts)
    reference = build_reference(
        Reviews(REVIEWS.assign(label=[0, 1] * 120)), positive, model_version="7", rows=240, seed=0
    )
    window = Window.of(logged[engine], model_version="7", start=start, end=time.time() + 1, most=5000, seed=0)
    settings = MonitorSettings(window=WindowSettings(min_predictions=200))
    drift = [c for c in check_window(window, reference, settings, health=None).checks if c.name.startswith(DRIFT)]
    assert {check.name.partition(":")[0] for check in drift} == set(DRIFT)
    assert all(check.passed and check.severity == "critical" for check in drift), drift
