"""The prediction path of both protocols: check a request, score it, log it, answer."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bento.batcher import Batcher
from bento.errors import RequestError, overloaded, too_slow
from bento.tracing import current_trace
from sentiment.models.explanation import Explanation, explain
from sentiment.monitoring.prediction_log import PredictionLog, Record
from sentiment.words import VISIBLE

if TYPE_CHECKING:
    from bento.identity import Identity
    from bento.metrics import ServiceMetrics
    from bento.settings import ServiceSettings
    from sentiment.models import Classifier

MAX_TEXTS = 64
MAX_CHARACTERS = 20_000
MAX_BODY_BYTES = 1 << 20  # of a request over either protocol, decompressed
MAX_PENDING_EXPLANATIONS = 4  # at work or waiting: each costs as much as many predictions


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one text.

    Attributes:
        id: Names the prediction, for feedback.
        label: The label.
        score: Its calibrated probability, in [0, 1]; below 0.5 only if the model has another threshold.
        abstained: Whether the score is too low to act on.
    """

    id: str
    label: str
    score: float
    abstained: bool


class Predictor:
    """One worker's classifier behind a natural batcher, with metrics and the prediction log."""

    def __init__(
        self, classifier: Classifier, identity: Identity, settings: ServiceSettings, metrics: ServiceMetrics
    ) -> None:
        self.identity, self.settings, self.metrics = identity, settings, metrics
        self._classifier = classifier
        self._labels = classifier.manifest.labels
        self._batcher = Batcher(
            self._positive, max_waiting=settings.max_queue, on_batch=metrics.batch, on_wait=metrics.waited
        )
        self._log = PredictionLog(
            settings.log, max_mb=settings.log_max_mb, keep_text=settings.log_text, on_drop=metrics.dropped
        )
        self._explainer = ThreadPoolExecutor(1, thread_name_prefix="explain")
        self._explaining = 0

    def _positive(self, texts: list[str]) -> Sequence[float]:
        scores: list[float] = self._classifier.predict_proba(texts).tolist()
        return scores

    async def predict(self, texts: Sequence[str], *, request: str, seconds: float | None = None) -> list[Answer]:
        """Label and score of every text, in order.

        Args:
            texts: 1 to 64 texts, each of 1 to 20,000 characters.
            request: Identifier of the request, for the prediction log.
            seconds: Time left to the caller; never more than the service's own limit.

        Raises:
            RequestError: If a text cannot be scored, too much is waiting, or the time is over.
        """
        check_texts(texts)
        seconds = self.settings.timeout if seconds is None else min(seconds, self.settings.timeout)
        trace = current_trace()
        if trace is not None:
            trace.count_texts(len(texts))
        try:
            async with asyncio.timeout(seconds):
                scores = await self._batcher.submit(texts, trace)
        except TimeoutError as error:
            raise too_slow(seconds) from error
        now, version = time.time(), self.identity.version
        answers, records = [], []
        for index, (text, positive) in enumerate(zip(texts, scores, strict=True)):
            given = self._classifier.label(positive)
            score = given.score
            answer = Answer(uuid.uuid4().hex, given.label, score, score < self.settings.abstain_below)
            answers.append(answer)
            self.metrics.prediction(answer.label, score, answer.abstained)
            records.append(
                Record.of(
                    id=answer.id,
                    time=now,
                    model_version=version,
                    request=request,
                    index=index,
                    label=answer.label,
                    score=score,
                    positive=positive,
                    abstained=answer.abstained,
                    text=text,
                    trace="" if trace is None else trace.id,
                )
            )
        self._log.add(records)
        return answers

    async def explain(self, text: str) -> Explanation:
        """Which words pushed the score, and how far.

        Raises:
            RequestError: If the text cannot be scored, too many explanations wait, or the time is over.
        """
        check_texts([text])
        if self._explaining >= MAX_PENDING_EXPLANATIONS:
            raise overloaded()
        self._explaining += 1
        loop = asyncio.get_running_loop()
        work = self._explainer.submit(explain, self._classifier, text)
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._explained))
        try:
            async with asyncio.timeout(self.settings.timeout):
                return await asyncio.wrap_future(work)
        except TimeoutError as error:
            raise too_slow(self.settings.timeout) from error

    def _explained(self) -> None:
        self._explaining -= 1

    def feedback(self, prediction_id: str, label: str, client: str | None = None) -> None:
        """Logs the correct label of a prediction; it joins the prediction by its id.

        Args:
            prediction_id: Identifier of the prediction.
            label: The correct label.
            client: Identity of the client, if the service has tokens.

        Raises:
            RequestError: If the id or the label cannot be right.
        """
        if len(prediction_id) != 32 or not set(prediction_id) <= set("0123456789abcdef"):
            raise RequestError("INVALID_ARGUMENT", "prediction_id must be an id that a prediction came with")
        if label not in self._labels:
            raise RequestError("INVALID_ARGUMENT", f"label must be one of {', '.join(self._labels)}")
        self.metrics.feedback(label)
        self._log.feedback(prediction_id, label, time.time(), client)

    def limits(self) -> dict[str, float]:
        """Returns the limits for callers."""
        return {
            "texts": MAX_TEXTS,
            "characters": MAX_CHARACTERS,
            "bytes": MAX_BODY_BYTES,
            "seconds": self.settings.timeout,
            "abstain_below": self.settings.abstain_below,
            "keeps_text": int(self.settings.log_text and self.settings.log is not None),  # 1: texts are kept
        }

    def close(self) -> None:
        """Finishes the current batch and writes the records in memory."""
        self._batcher.close()
        self._explainer.shutdown(wait=False, cancel_futures=True)
        self._log.close()


def check_texts(texts: Sequence[str]) -> None:
    """Raises a RequestError with the position of a text that cannot be scored, and the reason; it quotes no text."""
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise RequestError("INVALID_ARGUMENT", f"give 1 to {MAX_TEXTS} texts, not {len(texts)}")
    for index, text in enumerate(texts):
        if problem := find_problem(text):
            raise RequestError("INVALID_ARGUMENT", f"text {index} {problem}")


def find_problem(text: str) -> str:
    """Returns why a text cannot be scored, as the end of a sentence; empty if it can."""
    if len(text) > MAX_CHARACTERS:
        return f"has {len(text)} characters; at most {MAX_CHARACTERS} are read"
    return "" if VISIBLE.search(text) else "is empty"
