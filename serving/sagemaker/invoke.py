"""Requests to one variant of the endpoint: the smoke test's, and the texts of the agreement with the live one."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from sentiment.errors import UserError
from serving.rollouts.agreement import Pair
from serving.rollouts.probes import BAD_HTTP, BAD_TEXTS, HTTP_STATUS, WARM_UP_REQUESTS, Case, Seen, positive
from serving.sagemaker.aws import Aws, AwsError

if TYPE_CHECKING:
    from sentiment.deployment import Bento

# SageMaker does not pass these on: it chooses method and path itself, and refuses an empty body.
NOT_PASSED_ON = {"wrong method", "unknown path", "no body"}


class NoAnswerError(UserError):
    """A container answered with an error, or with something that is no prediction."""


class Variant:
    """One variant of the endpoint, called directly whatever its share of the traffic."""

    def __init__(self, aws: Aws, endpoint: str, name: str) -> None:
        """Calls nothing yet."""
        self._aws, self._endpoint, self.name = aws, endpoint, name
        self.attributes: dict[str, str] = {}

    def predict(self, text: str) -> dict[str, Any]:
        """Returns the answer for one text, and keeps the attributes that the container sent with it.

        Raises:
            NoAnswerError: If there is none.
            AwsError: If AWS refuses the call.
        """
        status, body = self.post(json.dumps({"texts": [text]}).encode())
        try:
            answer: dict[str, Any] = json.loads(body)
            (prediction,) = answer["predictions"]
            return {"version": str(answer["model_version"]), **prediction}
        except (ValueError, KeyError, TypeError) as error:
            what = f"answers with status {status}" if status != 200 else f"not an answer of this service: {error}"
            raise NoAnswerError(what, where=f"variant {self.name}") from error

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Returns the status and the body of the container's answer to JSON.

        Raises:
            AwsError: If AWS refuses the call.
        """
        try:
            answer = self._aws.call(
                "sagemaker-runtime",
                "invoke_endpoint",
                EndpointName=self._endpoint,
                TargetVariant=self.name,
                ContentType="application/json",
                Accept="application/json",
                Body=body,
            )
        except AwsError as error:
            if error.code == "ModelError":  # the container's own answer
                message = str(error.response.get("OriginalMessage", ""))
                return int(error.response.get("OriginalStatusCode", 500)), message.encode()
            raise
        sent = parse_qs(answer.get("CustomAttributes", ""))
        self.attributes = {name: values[0] for name, values in sent.items()}
        return 200, answer["Body"]


def probe(variant: Variant, bento: Bento, texts: Sequence[str]) -> Seen | str:
    """Sends all requests of the smoke test; returns the reason instead if the variant does not answer.

    Raises:
        AwsError: If AWS refuses a call: the version is not the cause.
    """
    try:
        for text in texts[:WARM_UP_REQUESTS]:
            variant.predict(text)
        scores, milliseconds, versions = [], [], set()
        for text in texts:
            started = time.perf_counter()
            answer = variant.predict(text)
            milliseconds.append(1000 * (time.perf_counter() - started))
            scores.append(positive(answer["label"], answer["score"]))
            versions.add(answer["version"])
        named = variant.attributes
        return Seen(
            (bento.model, named.get("version", "none"), named.get("bento", "none")),
            named.get("engine", "none"),
            frozenset(versions),
            tuple(scores),
            tuple(milliseconds),
            tuple(_refusals(variant)),
            (("endpoint", "InService", "InService"),),  # otherwise it was not started
        )
    except NoAnswerError as error:
        return str(error)


def _refusals(variant: Variant) -> list[Case]:
    cases = []
    for case, (texts, code) in BAD_TEXTS.items():
        got, _ = variant.post(json.dumps({"texts": texts}).encode())
        cases.append((case, str(HTTP_STATUS[code]), str(got)))
    for case, (_, _, body, status) in BAD_HTTP.items():
        if case not in NOT_PASSED_ON:
            got, _ = variant.post(body)
            cases.append((case, str(status), str(got)))
    return cases


def ask_both(live: Variant, new: Variant, texts: Sequence[str]) -> list[Pair]:
    """Returns the answers of both variants to the same texts.

    Raises:
        NoAnswerError: If one does not answer.
        AwsError: If AWS refuses a call.
    """
    answers = [[variant.predict(text) for variant in (live, new)] for text in texts]
    return [
        Pair(positive(a["label"], a["score"]), positive(b["label"], b["score"]), a["label"] == b["label"])
        for a, b in answers
    ]
