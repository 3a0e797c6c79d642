"""The gRPC server with slow, idle and unauthorised callers; in this process, without a model."""

import asyncio
from types import SimpleNamespace

import grpc
import pytest

from bento.grpc_server import GrpcServer
from bento.settings import ServiceSettings
from bento.tokens import Tokens
from tests.helpers.loopback import free_ports

INFO, STREAM = (f"/sentiment.v1.Sentiment/{method}" for method in ("Info", "PredictStream"))


def served(ask, *, tokens=(), connections=1, **settings):
    """Returns the result of ``ask``, which gets connections to a server."""

    async def run():
        (port,) = free_ports(1)
        predictor = SimpleNamespace(metrics=SimpleNamespace(request=lambda *_: None))
        server = GrpcServer(predictor, ServiceSettings(grpc_port=port, **settings), Tokens(tokens))
        await server.start()
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) for _ in range(connections)]
        try:
            async with asyncio.timeout(30):
                return await ask(*channels)
        finally:
            for channel in channels:
                await channel.close()
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
    code, _ = served(lambda channel: refusal(channel.stream_unary(INFO)()), tokens=["secret"], timeout=3600)
    assert code == "UNAUTHENTICATED"


def test_a_call_without_a_message_is_refused():
    assert served(lambda channel: refusal(channel.stream_unary(INFO)(iter(())))) == (
        "INVALID_ARGUMENT",
        "there is no message",
    )


def test_an_idle_stream_is_ended():
    refused = served(lambda channel: refusal(channel.stream_stream(STREAM)().read()), timeout=0.2)
    assert refused == ("DEADLINE_EXCEEDED", "nothing was sent for 0.2 s")


def test_a_stranger_opens_no_stream():
    code, _ = served(lambda channel: refusal(channel.stream_stream(STREAM)().read()), tokens=["secret"], timeout=3600)
    assert code == "UNAUTHENTICATED"


def test_open_streams_are_bounded_and_give_their_places_back():
    async def ask(*channels):
        first = [refusal(channel.stream_stream(STREAM)().read()) for channel in channels]
        return await asyncio.gather(*first), await refusal(channels[0].stream_stream(STREAM)().read())

    together, later = served(ask, connections=2, max_requests=1, timeout=1)
    overloaded, idle = (
        ("UNAVAILABLE", "overloaded: try again in 1 s"),
        ("DEADLINE_EXCEEDED", "nothing was sent for 1 s"),
    )
    assert sorted(together) == [idle, overloaded]
    assert later == idle
