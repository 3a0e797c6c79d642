"""CPU time of a short request: without traces, with traces that are not exported, and with a collector.

before     the service of another revision (--before), such as the last one that had no traces
off        the service of this checkout, without OpenTelemetry's variables
again      the same as off: its ratio to off is the noise
on         the same, exporting the spans of every request to a collector on this machine

One worker each; all servers are up during the whole run and asked in random order, over HTTP and gRPC. A ratio is the
median of the rounds' ratios to the server that is off, with their quartiles. Needs a promoted model (``make train``),
or the directory of a servable.
Run: ``python -m benchmarks.tracing --before 835aa48``.

With ``--in-process`` no server is started: one process for each of before, off and again calls the HTTP application
itself, first with a predictor that answers immediately (``guard``), then with the real one and a model that computes
nothing (``batcher``). Sockets and models are left out, so the noise is small against the cost of the trace code.
Run: ``python -m benchmarks.tracing --in-process --before 835aa48``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from benchmarks.load import Server, load, start
from stacks.addresses import free_port

ROOT = Path(__file__).resolve().parents[1]
TEXT = "a quiet film that stays with you"
BUILD = """
import sys
from pathlib import Path
from bento.build import build
print(build(Path(sys.argv[1]), model="benchmark", version=sys.argv[2], labels={}).tag)
"""
WORKER = """
import asyncio, sys, time
from types import SimpleNamespace
import numpy as np
from bento.http import create_app
from bento.identity import Identity
from bento.predictor import Answer, Predictor
from bento.settings import ServiceSettings
from bento.tokens import Tokens

part, text = sys.argv[1:]
body = b'{"texts": ["%s"]}' % text.encode()
headers = {"host": "127.0.0.1:3000", "user-agent": "python-httpx/0.28", "accept": "*/*", "connection": "keep-alive",
    "accept-encoding": "gzip, deflate", "content-type": "application/json", "content-length": str(len(body))}
encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
nothing = lambda *_: None
metrics = SimpleNamespace(batch=nothing, waited=nothing, dropped=nothing, prediction=nothing, request=nothing)
identity = Identity("benchmark", "1", "linear", "numpy", "benchmark:1", ("negative", "positive"))
model = SimpleNamespace(
    manifest=SimpleNamespace(labels=identity.labels),
    predict_proba=lambda texts: np.full(len(texts), 0.9),
    label=lambda positive: SimpleNamespace(label="positive", score=positive),
)

async def predict(texts, *, request):
    return [Answer("0" * 32, "positive", 0.9, False)]

async def send(message):
    assert message.get("status", 200) == 200

async def ask(guard):
    messages = [{"type": "http.request", "body": body}]
    async def receive():
        return messages.pop() if messages else await asyncio.Event().wait()  # the client stays
    scope = {"type": "http", "method": "POST", "path": "/v1/predict", "headers": list(encoded), "state": {}}
    await guard(scope, receive, send)

async def main():
    settings = ServiceSettings()
    predictor = SimpleNamespace(identity=identity, settings=settings, metrics=metrics, predict=predict)
    if part == "batcher":
        predictor = Predictor(model, identity, settings, metrics)
    guard = create_app()
    guard.start(predictor, Tokens(()))
    for line in sys.stdin:
        started = time.process_time()
        for _ in range(int(line)):
            await ask(guard)
        print((time.process_time() - started) / int(line) * 1e6, flush=True)

asyncio.run(main())
"""


@contextmanager
def collector() -> Iterator[str]:
    """Yields the address of a collector that reads spans and keeps none."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the standard library's name
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def serve(name: str, code: Path, servable: Path, folder: Path, **environment: str) -> Server:
    """Builds the Bento with the code in ``code``, and serves it with one worker."""
    command = [sys.executable, "-c", BUILD, str(servable), name]
    tag = subprocess.run(command, cwd=code, check=True, capture_output=True, text=True).stdout.split()[-1]
    http = free_port(set())
    grpc = free_port({http})
    own = {"SENTIMENT_WORKERS": "1", "SENTIMENT_GRPC_PORT": str(grpc), "SENTIMENT_STATE": str(folder / f"{name}-state")}
    own["SENTIMENT_LOG"] = str(folder / f"{name}-predictions")
    command = [sys.executable, "-m", "bentoml", "serve", tag, "--host", "127.0.0.1", "--port", str(http)]
    return start(name, command, http, folder, grpc, **own, **environment)


async def measure(servers: list[Server], rounds: int, seconds: float, clients: int) -> None:
    """Asks every server in turn, round after round, and prints the medians."""
    for protocol in ("http", "grpc"):
        found: dict[str, list[float]] = {server.name: [] for server in servers}
        draw = random.Random(0)
        for _ in range(rounds):
            for server in draw.sample(servers, len(servers)):  # none always comes after the same one
                outcome = await load(server, protocol, clients, [TEXT], seconds=seconds)
                if set(outcome.statuses) != {"200"}:
                    raise SystemExit(f"{server.name} failed: {outcome.statuses}")
                found[server.name].append(outcome.cpu_ms)
        report(protocol, found, "ms")


def measure_in_process(code: dict[str, Path], rounds: int, requests: int) -> None:
    """Asks a process for every checkout in turn, round after round, and prints the medians."""
    for part in ("guard", "batcher"):
        command = [sys.executable, "-c", WORKER, part, TEXT]  # imports from the folder in which it runs
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        workers = {name: subprocess.Popen(command, cwd=folder, text=True, **pipes) for name, folder in code.items()}
        found: dict[str, list[float]] = {name: [] for name in workers}
        draw = random.Random(0)
        for _ in range(rounds + 1):
            for name in draw.sample(list(workers), len(workers)):
                print(requests, file=workers[name].stdin, flush=True)
                found[name].append(float(workers[name].stdout.readline()))
        for worker in workers.values():
            worker.communicate()
        report(part, {name: times[1:] for name, times in found.items()}, "us")  # the first round warms up


def report(label: str, found: dict[str, list[float]], unit: str) -> None:
    """Prints the median CPU time a request of every candidate, and of its ratios to ``off``."""
    for name, times in found.items():
        ratios = sorted(a / b for a, b in zip(times, found["off"], strict=True))
        middle, spread = statistics.median(ratios), " to ".join(f"{r:.3f}" for r in quartiles(ratios))
        print(f"{label} {name:7} {statistics.median(times):.3f} CPU {unit}, ratio {middle:.3f} ({spread})")


def quartiles(values: list[float]) -> tuple[float, float]:
    """Returns the first and the third quartile."""
    first, _, third = statistics.quantiles(values, n=4)
    return first, third


def checkout(revision: str, folder: Path) -> Path:
    """Writes a revision of this repository into a new folder; returns the folder."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    return folder


def main() -> None:
    """Starts every server, asks them in turn, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", metavar="REVISION", help="a revision of this repository to compare with")
    parser.add_argument("--in-process", action="store_true", help="measure the HTTP application without a server")
    parser.add_argument("--servable", type=Path, help="the linear stage of the promoted model by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=300, help="of each round, in process")
    parser.add_argument("--seconds", type=float, default=4, help="of each closed loop")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        before = {"before": checkout(options.before, folder / "code")} if options.before else {}
        if options.in_process:
            measure_in_process({**before, "off": ROOT, "again": ROOT}, options.rounds, options.requests)
            return
        servable = options.servable
        if servable is None:
            from benchmarks.promoted import promoted

            servable = promoted(options.stack).servable / "linear"
        os.environ["BENTOML_HOME"] = str(folder / "bentoml")
        os.environ["BENTOML_DO_NOT_TRACK"] = "True"
        servers = []

        def run(name: str, code: Path = ROOT, **environment: str) -> None:
            server = serve(name, code, servable.resolve(), folder, **environment)
            stack.callback(server.process.wait, 30)
            stack.callback(server.process.terminate)  # callbacks run from the last to the first
            servers.append(server)

        for name, code in before.items():
            run(name, code)
        run("off")
        run("again")
        run("on", OTEL_EXPORTER_OTLP_ENDPOINT=stack.enter_context(collector()))
        asyncio.run(measure(servers, options.rounds, options.seconds, options.clients))


if __name__ == "__main__":
    main()
