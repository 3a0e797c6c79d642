"""Servers under load, for benchmarks: processes, clients, and closed loops with their figures."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Server:
    """A running server; ``asks`` opens a client and gives the coroutine that asks about a text."""

    name: str
    process: subprocess.Popen[bytes]
    http: str
    grpc: str = ""
    seconds_to_ready: float = 0.0

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        return sum(sum(p.cpu_times()[:2]) for p in self.processes())

    def worker_mb(self) -> float:
        """Resident memory (MB) of its largest process."""
        return max(p.memory_info().rss for p in self.processes()) / 1e6

    def processes(self) -> list:
        """The process and its children."""
        import psutil

        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]


def start(name: str, command: Sequence[str], http: int, folder: Path, grpc: int = 0, **environment: str) -> Server:
    """Starts a server and waits until it is ready."""
    import httpx

    started = time.perf_counter()
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | environment, cwd=folder
        )
    server = Server(name, process, f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}")
    while True:
        if process.poll() is not None:
            raise SystemExit(f"{name} stopped:\n{(folder / f'{name}.log').read_text()[-2000:]}")
        try:
            if httpx.get(f"{server.http}/readyz", timeout=1).is_success:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    server.seconds_to_ready = time.perf_counter() - started
    return server


Ask = Callable[[str], Awaitable[str]]


async def http_client(stack: AsyncExitStack, address: str, path: str = "") -> Ask:
    """A client with a connection of its own that asks about a text, or gets a path; answers with the status."""
    import aiohttp

    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)))

    async def ask(text: str) -> str:
        if path:
            request = session.get(f"{address}/{path}")
        else:
            request = session.post(f"{address}/v1/predict", json={"texts": [text]})
        async with request as response:
            await response.read()
            return str(response.status)

    return ask


async def grpc_client(stack: AsyncExitStack, address: str, path: str = "") -> Ask:
    """A client with a channel of its own that asks about a text, or for health; answers with the status."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from bento.stubs import sentiment_pb2 as pb

    options = [("grpc.use_local_subchannel_pool", 1)]
    channel = await stack.enter_async_context(grpc.aio.insecure_channel(address, options))
    call = channel.unary_unary(
        "/sentiment.v1.Sentiment/Predict", pb.PredictRequest.SerializeToString, pb.PredictResponse.FromString
    )

    health = health_pb2_grpc.HealthStub(channel).Check

    async def ask(text: str) -> str:
        try:
            await (health(health_pb2.HealthCheckRequest()) if path else call(pb.PredictRequest(texts=[text])))
        except grpc.RpcError as error:
            return error.code().name
        return "200"

    return ask


@dataclass
class Outcome:
    """The measurements of a closed loop of clients."""

    rate: float  # answers a second
    p50: float  # ms
    p95: float  # ms
    cpu_ms: float  # of the server, an answer
    statuses: dict[str, int]


async def load(
    server: Server,
    protocol: str,
    clients: int,
    texts: Sequence[str],
    *,
    seconds: float = 0,
    requests: int = 0,
    path: str = "",
) -> Outcome:
    """Closed loop for some seconds, or for some requests."""

    async def open_client(stack: AsyncExitStack) -> Ask:
        return await (
            grpc_client(stack, server.grpc, path) if protocol == "grpc" else http_client(stack, server.http, path)
        )

    times: list[float] = []
    statuses: dict[str, int] = {}
    async with AsyncExitStack() as stack:
        asks = [await open_client(stack) for _ in range(clients)]
        await asyncio.gather(*(ask(texts[0]) for ask in asks))  # connections are open, and warm
        draw = random.Random(0)
        left = requests
        cpu, started = server.cpu_seconds(), time.perf_counter()

        async def client(ask: Ask) -> None:
            nonlocal left
            while (left > 0) if requests else (time.perf_counter() - started < seconds):
                left -= 1
                begun = time.perf_counter()
                status = await ask(draw.choice(texts))
                times.append(time.perf_counter() - begun)
                statuses[status] = statuses.get(status, 0) + 1

        await asyncio.gather(*map(client, asks))
        elapsed, cpu = time.perf_counter() - started, server.cpu_seconds() - cpu
    answered = statuses.get("200", 0)
    ordered = sorted(times)
    return Outcome(
        answered / elapsed,
        1e3 * statistics.median(ordered),
        1e3 * ordered[int(0.95 * (len(ordered) - 1))],
        1e3 * cpu / max(answered, 1),
        statuses,
    )
