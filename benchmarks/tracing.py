"""CPU time of a short request: without traces, with traces that are not exported, and with a collector.

before     the service of another revision (--before), such as the last one that had no traces
off        the service of this checkout, without OpenTelemetry's variables
again      the same as off: its ratio to off is the noise
on         the same, exporting the spans of every request to a collector on this machine

One worker each; all servers are up during the whole run and asked in random order, over HTTP and gRPC. A ratio is the
median of the rounds' ratios to the server that is off, with their quartiles. Needs a promoted model (``make train``),
or the directory of a servable.
Run: ``python -m benchmarks.tracing --before 319f83c``.
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
        for name, times in found.items():
            ratios = sorted(a / b for a, b in zip(times, found["off"], strict=True))
            middle, spread = statistics.median(ratios), " to ".join(f"{r:.3f}" for r in quartiles(ratios))
            print(f"{protocol} {name:7} {statistics.median(times):.3f} CPU ms, ratio {middle:.3f} ({spread})")


def quartiles(values: list[float]) -> tuple[float, float]:
    """Returns the first and the third quartile."""
    first, _, third = statistics.quantiles(values, n=4)
    return first, third


def main() -> None:
    """Starts every server, asks them in turn, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", metavar="REVISION", help="a revision of this repository to compare with")
    parser.add_argument("--servable", type=Path, help="the linear stage of the promoted model by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=4, help="of each closed loop")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    servable = options.servable
    if servable is None:
        from benchmarks.promoted import promoted

        servable = promoted(options.stack).servable / "linear"
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        os.environ["BENTOML_HOME"] = str(folder / "bentoml")
        os.environ["BENTOML_DO_NOT_TRACK"] = "True"
        servers = []

        def run(name: str, code: Path = ROOT, **environment: str) -> None:
            server = serve(name, code, servable.resolve(), folder, **environment)
            stack.callback(server.process.wait, 30)
            stack.callback(server.process.terminate)  # callbacks run from the last to the first
            servers.append(server)

        if options.before:
            code = folder / "code"
            code.mkdir()
            archive = subprocess.run(["git", "archive", options.before], cwd=ROOT, check=True, capture_output=True)
            subprocess.run(["tar", "-x"], cwd=code, input=archive.stdout, check=True)
            run("before", code)
        run("off")
        run("again")
        run("on", OTEL_EXPORTER_OTLP_ENDPOINT=stack.enter_context(collector()))
        asyncio.run(measure(servers, options.rounds, options.seconds, options.clients))


if __name__ == "__main__":
    main()
