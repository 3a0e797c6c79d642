"""The HTTP application: routes, their requests and responses, and the OpenAPI page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from bento import invocations
from bento.errors import STATUS, RequestError, internal
from bento.guard import Content, Direct, Guard, error_body, error_headers
from bento.page import add_pages
from bento.predictor import MAX_CHARACTERS, MAX_TEXTS, Answer, Predictor
from bento.routes import HTTP_ROUTES
from sentiment.words import VISIBLE

Text = Annotated[str, Field(pattern=VISIBLE.pattern, max_length=MAX_CHARACTERS)]  # not empty, not blank


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PredictRequest(_Model):
    """Texts to score."""

    texts: list[Text] = Field(min_length=1, max_length=MAX_TEXTS, examples=[["A quiet film that stays with you."]])


class AnswerModel(_Model):
    """The answer for one text."""

    id: str = Field(description="names the prediction, for feedback", examples=["0f3c1c9e6a8b4d5f9c2e7a1b3d5f7e90"])
    label: str = Field(description="the label", examples=["positive"])
    score: float = Field(
        description="calibrated probability of the label, in [0, 1]; below 0.5 only if the model has another threshold",
        examples=[0.97],
    )
    abstained: bool = Field(description="whether the score is too low to act on", examples=[False])


class PredictResponse(_Model):
    """Answers in the order of the texts."""

    model_version: str = Field(examples=["3"])
    predictions: list[AnswerModel]


class ExplainRequest(_Model):
    """A text to explain."""

    text: Text = Field(examples=["The cast is fine, the plot is a mess."])


class WordModel(_Model):
    """A part of the text and its effect on the score."""

    word: str
    start: int = Field(description="first character")
    end: int = Field(description="after the last character")
    effect: float = Field(description="how much it raised the log-odds of the positive label")


class ExplainResponse(_Model):
    """The words that decided the score, and their effects."""

    model_version: str
    label: str
    score: float
    words: list[WordModel]


class FeedbackRequest(_Model):
    """The correct label of a prediction."""

    prediction_id: str = Field(pattern="^[0-9a-f]{32}$", examples=["0f3c1c9e6a8b4d5f9c2e7a1b3d5f7e90"])
    label: Literal["negative", "positive"] = Field(examples=["negative"])


class FeedbackResponse(_Model):
    """The label is logged."""

    status: Literal["noted"] = "noted"


class Problem(_Model):
    """The problem, by gRPC's name, and the remedy."""

    code: str = Field(examples=["INVALID_ARGUMENT"])
    message: str = Field(examples=["give 1 to 64 texts, not 65"])
    trace_id: str = Field(description="the request's trace", examples=["4bf92f3577b34da6a3ce929d0e0e4736"])


class ErrorResponse(_Model):
    """Every error has this form."""

    error: Problem


NO_HEADERS: Mapping[str, str] = MappingProxyType({})
PREDICT_SCHEMA = {"$ref": "#/components/schemas/PredictRequest"}
MEANINGS = {
    400: "not JSON, or not UTF-8",
    401: "no accepted token",
    405: "method not allowed",
    408: "the body arrived too slowly",
    413: "the body is too large",
    422: "a value is wrong",
    500: "a fault of the service",
    503: "overloaded or not ready: try again",
    504: "no answer in time",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorResponse, "description": meaning} for status, meaning in MEANINGS.items()
}


def create_app() -> Guard:
    """Creates the application behind its guard; ``app.state.predictor`` is set when the worker has started."""
    app = FastAPI(
        title="Sentiment",
        version="1",
        description="Sentiment of reviews, with calibrated scores. Also over gRPC: sentiment.v1.Sentiment.",
        docs_url=None,  # FastAPI's own page loads its files from another host
        redoc_url=None,
        responses=ERRORS,
    )

    @app.post("/v1/predict", summary="Label and score of texts", response_model=PredictResponse)
    async def predict(body: PredictRequest, request: Request) -> Response:  # for the OpenAPI page: see _DIRECT
        return Response(await _predict(_predictor(request), body, request.state.request_id))

    @app.post(
        "/invocations",
        summary="Label and score of texts, at SageMaker's path",
        description="Also reads application/jsonlines, one object with the key text or one string a line, and "
        "text/csv, one text a record. Answers in the same format, or in the one that Accept names.",
        response_model=PredictResponse,
        responses={406: {"model": ErrorResponse, "description": "no format that the caller accepts"}},
        openapi_extra={"requestBody": {"content": {invocations.JSON: {"schema": PREDICT_SCHEMA}}, "required": True}},
    )
    async def invoke(request: Request) -> Response:  # for the OpenAPI page: see _DIRECT
        content, media_type, headers = await _invoke(
            _predictor(request), await request.body(), request.state.request_id, dict(request.headers.raw)
        )
        return Response(content, media_type=media_type, headers=dict(headers))

    @app.post("/v1/explain", summary="Explain a score by the words of the text")
    async def explain(body: ExplainRequest, request: Request) -> ExplainResponse:
        predictor = _predictor(request)
        found = await predictor.explain(body.text)
        words = [WordModel(word=w.word, start=w.start, end=w.end, effect=w.effect) for w in found.words]
        return ExplainResponse(
            model_version=predictor.identity.version, label=found.label, score=found.score, words=words
        )

    @app.post("/v1/feedback", status_code=202, summary="Send the correct label of a prediction")
    async def feedback(body: FeedbackRequest, request: Request) -> FeedbackResponse:
        _predictor(request).feedback(body.prediction_id, body.label, request.state.client)
        return FeedbackResponse()

    @app.get("/v1/info", summary="Model, lineage and limits")
    async def info(request: Request) -> dict[str, Any]:
        predictor = _predictor(request)
        return predictor.identity.info(predictor.limits())

    @app.get("/ping", response_class=PlainTextResponse, summary="Readiness, at SageMaker's path")
    async def ping(request: Request) -> Response:
        _predictor(request)
        return PlainTextResponse("ready")

    @app.get("/metrics", response_class=PlainTextResponse, summary="For Prometheus")
    def metrics(request: Request) -> Response:
        return PlainTextResponse(_predictor(request).metrics.page(), media_type="text/plain; version=0.0.4")

    add_pages(app)
    _declare_tokens(app)
    app.add_exception_handler(RequestError, _fault)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _fault)  # answers; the guard logs it
    return Guard(app, HTTP_ROUTES, _DIRECT)


def _declare_tokens(app: FastAPI) -> None:
    """Lets the OpenAPI document name the bearer token if the service has tokens, so that its page can send one."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        if app.state.has_tokens:
            document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            for path, operations in document["paths"].items():
                for operation in operations.values() if HTTP_ROUTES[path].guarded else ():
                    operation["security"] = [{"bearer": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's documentation extends it


async def _predict(predictor: Predictor, request: PredictRequest, request_id: str) -> bytes:
    """Scores the texts; returns the JSON of a ``PredictResponse``."""
    return _response(await predictor.predict(request.texts, request=request_id), predictor.identity.version)


def _response(answers: Sequence[Answer], version: str) -> bytes:
    response = PredictResponse.model_construct(
        model_version=version,
        predictions=[
            AnswerModel.model_construct(id=a.id, label=a.label, score=a.score, abstained=a.abstained) for a in answers
        ],
    )
    return response.model_dump_json().encode()


async def _predict_body(predictor: Predictor, body: bytes, request_id: str, _: Mapping[bytes, bytes]) -> Content:
    return await _predict(predictor, _read_request(body), request_id), invocations.JSON, NO_HEADERS


async def _invoke(predictor: Predictor, body: bytes, request_id: str, headers: Mapping[bytes, bytes]) -> Content:
    """Scores texts that are given in one of SageMaker's formats, and answers in another or the same."""
    declared, accept = (headers.get(name, b"").decode("latin-1") for name in (b"content-type", b"accept"))
    given, wanted = invocations.choose_formats(declared, accept)
    texts = _read_request(body).texts if given == invocations.JSON else invocations.read_lines(body, given)
    answers = await predictor.predict(texts, request=request_id)
    version = predictor.identity.version
    is_json = wanted == invocations.JSON
    content = _response(answers, version) if is_json else invocations.write_lines(answers, version, wanted)
    media_type = f"{wanted}; charset=utf-8" if wanted == invocations.CSV else wanted
    return content, media_type, invocations.attributes(predictor.identity)


def _read_request(body: bytes) -> PredictRequest:
    if not body:
        raise RequestError("INVALID_ARGUMENT", "body: Field required")
    try:
        return PredictRequest.model_validate(json.loads(body))
    except ValidationError as error:
        raise _problem(error.errors(include_url=False, include_input=False)[0], "body") from None
    except (ValueError, RecursionError):
        raise _problem({"type": "json_invalid"}) from None


# The guard answers these without FastAPI, which takes as much time for a request as a small model for a short text.
_DIRECT: Mapping[str, Direct] = {"/v1/predict": _predict_body, "/invocations": _invoke}


def _predictor(request: Request) -> Predictor:
    predictor: Predictor | None = getattr(request.app.state, "predictor", None)
    if predictor is None:
        raise RequestError("UNAVAILABLE", "starting, or about to stop")
    return predictor


async def _fault(_: Request, error: Exception) -> Response:
    fault = error if isinstance(error, RequestError) else internal()
    return Response(
        error_body(fault), status_code=fault.status, headers=error_headers(fault), media_type="application/json"
    )


async def _invalid(request: Request, error: Exception) -> Response:
    return await _fault(request, _problem(error.errors()[0] if isinstance(error, RequestValidationError) else {}))


def _problem(found: Mapping[str, Any], *prefix: str) -> RequestError:
    """Returns the error for a body that pydantic refuses: the field and the reason, never the input."""
    if found.get("type") == "json_invalid":
        return RequestError("INVALID_ARGUMENT", "the body is not JSON", status=400)
    where = ".".join(str(part) for part in (*prefix, *found.get("loc", ())))[:100]
    return RequestError("INVALID_ARGUMENT", f"{where}: {found.get('msg', 'wrong')}"[:300])


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = next((name for name, number in STATUS.items() if number == status), "INVALID_ARGUMENT")
    response = await _fault(request, RequestError(code, MEANINGS.get(status, "refused"), status=status))
    response.headers.update(getattr(error, "headers", None) or {})
    return response
