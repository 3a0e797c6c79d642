"""Requests per second of the service against FastAPI + ``transformers.pipeline`` on the same checkpoint.

One text a request; short, long and mixed texts of the test split; clients that ask again as soon as they are answered,
on the same cores. The alternative comes in three variants: as in tutorials (one process, torch's own threads), and at
its best: a worker a core with one thread each, in float32 and, where the processor multiplies it, in bfloat16. All
read as many tokens as we do. All servers are up during the whole run and asked in turn, several rounds; a ratio is the
median of the rounds' ratios to the best alternative of the round. Needs a promoted model (``make train``).
Run: ``python -m benchmarks.serving``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from benchmarks.load import Outcome, Server, http_client, load, start
from benchmarks.promoted import promoted
from stacks.addresses import free_port

ALTERNATIVE = """
import os
import torch
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline

threads = int(os.environ["THREADS"])
if threads:
    torch.set_num_threads(threads)
dtype = getattr(torch, os.environ["DTYPE"])
classify = pipeline("text-classification", model=os.environ["MODEL"], device=-1, dtype=dtype)
app = FastAPI()


class Request(BaseModel):
    texts: list[str]


@app.post("/v1/predict")
def predict(request: Request):
    return classify(request.texts, truncation=True, max_length=int(os.environ["LENGTH"]))


@app.get("/readyz")
def ready():
    return "ok"
"""
KINDS = ("short", "long", "mixed")


def start_alternative(
    checkpoint: Path, length: int, folder: Path, name: str, *, workers: int, threads: int, dtype: str
) -> Server:
    """FastAPI around ``transformers.pipeline``; ``threads`` 0: as many as torch chooses."""
    (folder / "alternative.py").write_text(ALTERNATIVE, encoding="utf-8")
    port = free_port(set())
    command = [sys.executable, "-m", "uvicorn", "alternative:app", "--port", str(port), "--log-level", "error"]
    command += ["--workers", str(workers)]
    environment = {"MODEL": str(checkpoint), "LENGTH": str(length), "THREADS": str(threads), "DTYPE": dtype}
    return start(name, command, port, folder, **environment)


def start_ours(servable: Path, folder: Path, name: str) -> Server:
    """The Bento of a servable, as many workers as cores."""
    from bento.build import build

    bento = build(servable, model="benchmark", version=name, labels={})
    http = free_port(set())
    grpc = free_port({http})
    environment = {
        "SENTIMENT_GRPC_PORT": str(grpc),
        "SENTIMENT_STATE": str(folder / f"{name}-state"),
        "SENTIMENT_LOG": str(folder / f"{name}-predictions"),
    }
    command = [sys.executable, "-m", "bentoml", "serve", bento.tag, "--host", "127.0.0.1", "--port", str(http)]
    return start(name, command, http, folder, grpc, **environment)


async def throughput(
    servers: list[tuple[str, Server, str]],
    alternatives: int,
    texts: dict[str, list[str]],
    clients: Sequence[int],
    rounds: int,
    seconds: float,
) -> None:
    """Prints the table: every contender in turn, round after round; the first ``alternatives`` are not ours."""
    from rich.console import Console
    from rich.table import Table

    results: dict[tuple[str, int, str], list[Outcome]] = {}
    for number in range(rounds):
        for kind in KINDS:
            for count in clients:
                for name, server, protocol in servers:
                    print(f"\rround {number + 1}: {kind}, {count} clients, {name}".ljust(79), end="", file=sys.stderr)
                    outcome = await load(server, protocol, count, texts[kind], seconds=seconds)
                    results.setdefault((kind, count, name), []).append(outcome)
    print(file=sys.stderr)
    table = Table(
        "texts", "clients", "server", "requests/s", "p50 ms", "p95 ms", "CPU ms", "times the best alternative"
    )
    for (kind, count, name), found in results.items():
        others = [results[kind, count, other] for other, _, _ in servers[:alternatives]]
        best = [max(outcome.rate for outcome in outcomes) for outcomes in zip(*others, strict=True)]
        ratio = statistics.median(a.rate / b for a, b in zip(found, best, strict=True))
        middle = sorted(found, key=lambda o: o.rate)[len(found) // 2]
        failed = {s: n for o in found for s, n in o.statuses.items() if s != "200"}
        figures = (f"{middle.rate:.0f}", f"{middle.p50:.1f}", f"{middle.p95:.1f}", f"{middle.cpu_ms:.2f}")
        table.add_row(kind, str(count), name, *figures, f"{ratio:.1f}x" + (f" {failed}" if failed else ""))
    Console(width=120).print(table)


async def overhead(server: Server, linear: Server, texts: list[str], rounds: int, seconds: float) -> None:
    """Prints CPU ms of requests at 16 clients: without a model, of the linear model, and of the cascade."""
    from rich.console import Console
    from rich.table import Table

    cases = [
        ("GET /livez", linear, "livez", "http"),
        ("GET /v1/info", linear, "v1/info", "http"),
        ("health check, gRPC", linear, "health", "grpc"),
        ("short text, linear, HTTP", linear, "", "http"),
        ("short text, linear, gRPC", linear, "", "grpc"),
        ("short text, cascade, HTTP", server, "", "http"),
        ("short text, cascade, gRPC", server, "", "grpc"),
    ]
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, asked, path, protocol in cases:
            outcome = await load(asked, protocol, 16, texts, seconds=seconds, path=path)
            found.setdefault(name, []).append(outcome.cpu_ms)
    table = Table("request", "CPU ms", "over /livez")
    calm = statistics.median(found[cases[0][0]])
    for name, times in found.items():
        table.add_row(name, f"{statistics.median(times):.2f}", f"{statistics.median(times) - calm:.2f}")
    Console(width=120).print(table)


async def after_a_burst(server: Server, texts: list[str], rounds: int) -> float:
    """Time of a lone request right after a burst of 64 clients, as a multiple of a calm one's: medians."""
    calm, later = [], []
    async with AsyncExitStack() as stack:
        ask = await http_client(stack, server.http)
        text = texts[0]

        async def timed() -> float:
            begun = time.perf_counter()
            await ask(text)
            return time.perf_counter() - begun

        for _ in range(rounds):
            calm += [await timed() for _ in range(5)]
            await load(server, "http", 64, texts, requests=300)
            later.append(await timed())
            await asyncio.sleep(1)
    return statistics.median(later) / statistics.median(calm)


def main() -> None:
    """Starts every server, asks them in turn, prints tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each closed loop")
    parser.add_argument("--clients", type=int, nargs="+", default=(1, 16, 64), metavar="N")
    parser.add_argument("--requests", type=int, default=10_000, help="of the endurance test at 64 clients")
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    found = promoted(options.stack)
    servable, checkpoint, length = found.servable, found.checkpoint, found.length
    words = [(t, len(t.split())) for t in found.texts]
    short, long = [t for t, n in words if n <= 40], [t for t, n in words if n > 150]
    size = min(len(short), len(long), 400)
    texts = {"short": short[:size], "long": long[:size], "mixed": [*short[: size // 2], *long[: size // 2]]}
    from sentiment.models import Classifier
    from sentiment.models.engines.choice import BF16, suits
    from sentiment.models.engines.processor import instructions

    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        os.environ["BENTOML_HOME"] = str(folder / "bentoml")
        os.environ["BENTOML_DO_NOT_TRACK"] = "True"

        def run(server: Server) -> Server:
            stack.callback(lambda: (server.process.terminate(), server.process.wait(30)))
            return server

        def alternative(name: str, workers: int, threads: int, dtype: str) -> tuple[str, Server, str]:
            server = start_alternative(checkpoint, length, folder, name, workers=workers, threads=threads, dtype=dtype)
            return f"FastAPI + pipeline, {name}", run(server), "http"

        contenders = [alternative("as in tutorials", 1, 0, "float32")]
        contenders.append(alternative("a worker a core, float32", cores, 1, "float32"))
        if suits(BF16, instructions()):
            contenders.append(alternative("a worker a core, bfloat16", cores, 1, "bfloat16"))
        alternatives = len(contenders)
        linear = run(start_ours(servable / "linear", folder, "linear"))
        cascade = run(start_ours(servable, folder, "cascade"))
        contenders += [("cascade, HTTP", cascade, "http"), ("cascade, gRPC", cascade, "grpc")]
        engine = Classifier.load(servable).engine
        print(f"{cores} cores ({', '.join(instructions())}); {engine}; {length} tokens are read; one text a request")
        for name, server, _ in contenders[:-1]:
            print(f"{name}: ready in {server.seconds_to_ready:.1f} s, {server.worker_mb():.0f} MB a worker")
        asyncio.run(throughput(contenders, alternatives, texts, options.clients, options.rounds, options.seconds))
        asyncio.run(overhead(cascade, linear, texts["short"], options.rounds, options.seconds))
        ratio = asyncio.run(after_a_burst(cascade, texts["short"], 5))
        print(f"a lone request right after a burst of 64 clients: {ratio:.2f} times a calm one")
        for protocol in ("http", "grpc"):
            outcome = asyncio.run(load(cascade, protocol, 64, texts["mixed"], requests=options.requests))
            print(f"{protocol}, 64 clients, {options.requests} requests: statuses {outcome.statuses}")
        print(f"after all that: {cascade.worker_mb():.0f} MB a cascade worker")


if __name__ == "__main__":
    main()
