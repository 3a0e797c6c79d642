"""Natural batching: texts that queue while a batch runs are the next batch."""

import asyncio
import threading

import pytest

from bento.batcher import Batcher
from bento.errors import RequestError


def lengths(texts):
    return [float(len(text)) for text in texts]


class Gate:
    """A computation that waits until the test releases it, and records its batches."""

    def __init__(self):
        self.open, self.batches = threading.Event(), []

    def __call__(self, texts):
        self.batches.append(list(texts))
        assert self.open.wait(10)
        return lengths(texts)


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 10))


def test_a_lone_request_is_a_batch_at_once():
    sizes = []

    async def scenario():
        batcher = Batcher(lengths, max_waiting=10, on_batch=lambda texts, waiting: sizes.append((texts, waiting)))
        return await batcher.submit(["a", "bb", "ccc"])

    assert run(scenario()) == [1, 2, 3]
    assert sizes == [(3, 0)]


def test_texts_that_arrive_meanwhile_are_the_next_batch():
    gate = Gate()

    async def scenario():
        batcher = Batcher(gate, max_waiting=100, batch_texts=4)
        first = asyncio.create_task(batcher.submit(["a"]))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(batcher.submit(["b" * n])) for n in range(1, 7)]
        await asyncio.sleep(0.05)
        gate.open.set()
        return [await task for task in (first, *rest)]

    assert run(scenario()) == [[1], [1], [2], [3], [4], [5], [6]]
    assert [len(b) for b in gate.batches] == [1, 4, 2]


def test_a_long_request_lets_short_ones_pass():
    gate = Gate()
    done = []

    async def scenario():
        batcher = Batcher(gate, max_waiting=1000, batch_texts=8)

        async def ask(name, texts):
            await batcher.submit(texts)
            done.append(name)

        long = asyncio.create_task(ask("long", ["x"] * 64))
        await asyncio.sleep(0.05)
        short = asyncio.create_task(ask("short", ["y"]))
        await asyncio.sleep(0.05)
        gate.open.set()
        await asyncio.gather(long, short)

    run(scenario())
    assert done == ["short", "long"]


def test_more_than_may_wait_is_refused_and_room_comes_back():
    gate = Gate()

    async def scenario():
        batcher = Batcher(gate, max_waiting=4, batch_texts=2)
        tasks = []
        for _ in range(3):
            tasks.append(asyncio.create_task(batcher.submit(["a", "b"])))
            await asyncio.sleep(0.05)  # finally two are computed, four wait
        with pytest.raises(RequestError, match="overloaded"):
            await batcher.submit(["c"])
        gate.open.set()
        await asyncio.gather(*tasks)
        return await batcher.submit(["c"] * 4)

    assert run(scenario()) == [1] * 4


def test_cancelled_requests_are_not_computed():
    gate = Gate()

    async def scenario():
        batcher = Batcher(gate, max_waiting=4, batch_texts=2)
        first = asyncio.create_task(batcher.submit(["a"]))
        await asyncio.sleep(0.05)
        left = asyncio.create_task(batcher.submit(["gone"] * 4))
        await asyncio.sleep(0.05)
        left.cancel()
        gate.open.set()
        await first
        return await batcher.submit(["b"] * 4)

    assert run(scenario()) == [1] * 4
    assert "gone" not in [text for batch in gate.batches for text in batch]


def test_a_failed_batch_fails_its_requests_only():
    def compute(texts):
        if "bad" in texts:
            raise ValueError("cannot")
        return lengths(texts)

    async def scenario():
        batcher = Batcher(compute, max_waiting=10, batch_texts=2)
        with pytest.raises(ValueError, match="cannot"):
            await batcher.submit(["bad", "x", "y"])
        return await batcher.submit(["a"] * 10)

    assert run(scenario()) == [1] * 10
