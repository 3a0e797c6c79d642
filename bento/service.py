"""The BentoML service: starts a worker's classifier, HTTP and gRPC, and stops them in order.

BentoML 1.4 serves no gRPC for such services, so the server runs in the worker's own event loop.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bentoml
from pydantic import BaseModel

from bento.http import create_app
from bento.options import PREFIX, ServiceOptions

if TYPE_CHECKING:
    from bento.tracing import Tracer

DRAIN_S = 20.0
DEFAULT_TIMEOUT_S = ServiceOptions.model_fields["timeout"].default


class Arguments(BaseModel):
    """The arguments that are fixed when a Bento is built."""

    model: str  # tag in the model store; never :latest, which would be resolved again at every start


arguments = bentoml.use_arguments(Arguments)
guard = create_app()


@bentoml.service(
    name="sentiment",
    workers=int(os.environ.get(f"{PREFIX}WORKERS") or 0) or "cpu_count",
    # Ours is shorter, and knows gRPC too. BentoML keeps a timer of this length for every request that it ever answered.
    traffic={"timeout": float(os.environ.get(f"{PREFIX}TIMEOUT") or DEFAULT_TIMEOUT_S) + DRAIN_S},
    tracing={"excluded_urls": ".*"},  # ours are in bento/tracing.py; BentoML's took 0.1 ms a request, unexported
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},  # the prediction log and the metrics replace it
)
@bentoml.asgi_app(guard, path="/")
class SentimentService:
    """Sentiment of reviews, with calibrated scores, over HTTP and gRPC."""

    model = bentoml.models.BentoModel(arguments.model)

    def __init__(self) -> None:
        """Loads the classifier; one thread, as there is a worker for every core."""
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        from bento.settings import read_service_settings
        from bento.tokens import Tokens
        from sentiment.models import Classifier

        self._settings = read_service_settings()
        self._tokens = Tokens(self._settings.accepted_tokens())
        self._classifier = Classifier.load(Path(self.model.path))
        self._grpc: Any = None
        self._predictor: Any = None
        self._tracer: Tracer | None = None

    @bentoml.on_startup  # type: ignore[untyped-decorator] # BentoML's hooks have no types
    async def start(self) -> None:
        """Warms up, opens gRPC, then HTTP."""
        from bento.grpc_server import GrpcServer
        from bento.metrics import ServiceMetrics
        from bento.predictor import Predictor
        from bento.tracing import open_tracer
        from sentiment.models.allocation import release_memory

        identity = self._identity()
        self._classifier.warm_up()
        metrics = ServiceMetrics(self._settings.state / "metrics", identity)
        self._predictor = Predictor(self._classifier, identity, self._settings, metrics)
        self._tracer = open_tracer(identity)
        server = GrpcServer(self._predictor, self._settings, self._tokens, self._tracer)
        await server.start()
        release_memory()  # the memory that loading used
        guard.start(self._predictor, self._tokens, self._tracer)
        self._grpc = server

    def _identity(self) -> Any:  # noqa: ANN401  # imported where it is needed
        from bentoml._internal.context import server_context

        from bento.identity import Identity

        labels = dict(self.model.info.labels)
        return Identity(
            model=labels.pop("model"),
            version=labels.pop("model_version"),
            kind=self._classifier.manifest.kind,
            engine=self._classifier.engine,
            bento=f"{server_context.bento_name}:{server_context.bento_version}",
            labels=self._classifier.manifest.labels,
            stages=self._classifier.manifest.stages,
            lineage=labels,
        )

    async def __is_ready__(self) -> bool:
        """Whether both protocols answer."""
        return self._grpc is not None

    @bentoml.on_shutdown  # type: ignore[untyped-decorator] # BentoML's hooks have no types
    async def stop(self) -> None:
        """Stops gRPC after its last call, then writes the log and the last spans; HTTP has already ended."""
        server, self._grpc = self._grpc, None
        if server is not None:
            await server.stop(DRAIN_S)
        if self._predictor is not None:
            self._predictor.close()
        if self._tracer is not None:
            self._tracer.close()
