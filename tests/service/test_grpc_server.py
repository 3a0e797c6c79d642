"""How the gRPC server treats callers who are slow, idle or may not call; in this process, with a predictor that is none."""

import asyncio
from types import SimpleNamespace

import grpc
import pytest
from loopback import free_ports

from bento.grpc_server import GrpcServer
from bento.settings import ServiceSettings
from bento.tokens import Tokens

INFO = "/sentiment.v1.Sentiment/Info"


def served(ask, *, tokens=(), **settings):
    """What ``ask`` returns, given a channel to a server."""

    async def run():
        (port,) = free_ports(1)
        predictor = SimpleNamespace(metrics=SimpleNamespace(request=lambda *_: None))
        server = GrpcServer(predictor, ServiceSettings(grpc_port=port, **settings), Tokens(tokens))
        await server.start()
        try:
            async with asyncio.timeout(30), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                return await ask(channel)
        finally:
            await server.stop(0)

    return asyncio.run(run())


async def refusal(call):
    """Code and message of a call that sends nothing more, but does not end either."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, caught.value.details()


def test_a_message_that_does_not_come_is_not_waited_for():
    refused = served(lambda channel: refusal(channel.stream_unary(INFO)()), timeout=0.2)
    assert refused == ("DEADLINE_EXCEEDED", "the message did not arrive within 0.2 s")


def test_a_strangers_message_is_not_even_read():
    code, _ = served(lambda channel: refusal(channel.stream_unary(INFO)()), tokens=["secret"], timeout=1e6)
    assert code == "UNAUTHENTICATED"


def test_a_call_without_a_message_is_told_so():
    assert served(lambda channel: refusal(channel.stream_unary(INFO)(iter(())))) == (
        "INVALID_ARGUMENT",
        "there is no message",
    )
