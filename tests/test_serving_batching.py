import asyncio
import os
import random
import subprocess
import sys
import threading
import time

import pytest

from serving.batching import Batcher
from serving.errors import ApiError
from tests.processes import PROJECT


class Recorder:
    """Computes by doubling, and may be held shut."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.open = threading.Event()
        self.open.set()

    def __call__(self, parts):
        self.open.wait(10)
        self.batches.append(sum(len(jobs) for _, jobs in parts))
        return [[2 * job for job in jobs] for _, jobs in parts]


def run(body, batch_tokens: int = 100, queue_jobs: int = 1000):
    """Run an async test body against a recorder and its batcher."""
    recorder = Recorder()
    batcher = Batcher(recorder, batch_tokens, queue_jobs)
    batcher.start()

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await body(recorder, batcher)

    try:
        asyncio.run(bounded())
    finally:
        recorder.open.set()
        batcher.close()


async def waiting(batcher: Batcher, jobs: int) -> None:
    while batcher.jobs_waiting != jobs:
        await asyncio.sleep(0.001)


def test_results_come_in_order_to_each_caller():
    async def body(recorder, batcher):
        calls = [batcher.submit([n, n + 1], [1, 1], 10) for n in range(50)]
        assert await asyncio.gather(*calls) == [[2 * n, 2 * n + 2] for n in range(50)]

    run(body)


def test_calls_that_wait_are_computed_together_up_to_the_tokens():
    async def body(recorder, batcher):
        recorder.open.clear()
        first = asyncio.ensure_future(batcher.submit([0], [10], 10))
        await asyncio.sleep(0.05)
        rest = [asyncio.ensure_future(batcher.submit([n], [10], 10)) for n in range(25)]
        await waiting(batcher, 25)
        recorder.open.set()
        await asyncio.gather(first, *rest)
        assert recorder.batches == [1, 10, 10, 5]

    run(body)


def test_a_long_call_is_computed_in_parts():
    async def body(recorder, batcher):
        assert await batcher.submit(list(range(25)), [10] * 25, 10) == [2 * n for n in range(25)]
        assert recorder.batches == [10, 10, 5]

    run(body)


def test_a_full_queue_refuses_at_once_with_a_time_to_try_again():
    async def body(recorder, batcher):
        recorder.open.clear()
        taken = [asyncio.ensure_future(batcher.submit([n], [100], 10)) for n in range(4)]
        await waiting(batcher, 3)
        with pytest.raises(ApiError) as refused:
            await batcher.submit([1, 2], [1, 1], 10)
        assert refused.value.type == "overloaded"
        assert int(refused.value.headers["Retry-After"]) >= 1
        recorder.open.set()
        assert await asyncio.gather(*taken) == [[0], [2], [4], [6]]
        assert await batcher.submit([1, 2], [1, 1], 10) == [2, 4]

    run(body, queue_jobs=4)


def test_what_expired_or_was_left_is_never_computed():
    async def body(recorder, batcher):
        recorder.open.clear()
        first = asyncio.ensure_future(batcher.submit([0], [100], 10))
        await asyncio.sleep(0.05)
        late = asyncio.ensure_future(batcher.submit([1, 2], [1, 1], 0.01))
        left = asyncio.ensure_future(batcher.submit([3], [1], 10))
        await waiting(batcher, 3)
        left.cancel()
        await asyncio.sleep(0.05)  # the one is told that it was left, the other expires
        recorder.open.set()
        with pytest.raises(ApiError, match="deadline"):
            await late
        await first
        assert await batcher.submit([4], [1], 10) == [8]
        assert recorder.batches == [1, 1]
        assert batcher.jobs_waiting == 0

    run(body)


def test_what_is_being_computed_is_waited_for_too():
    async def body(recorder, batcher):
        assert batcher.expected_wait() == 0
        await batcher.submit([1], [10], 10)
        recorder.open.clear()
        taken = asyncio.ensure_future(batcher.submit([1], [10], 10))
        while batcher.jobs_waiting or not batcher.expected_wait():
            await asyncio.sleep(0.001)
        recorder.open.set()
        await taken

    run(body)


def test_a_fault_is_told_to_its_callers_and_the_next_ones_are_served():
    calls = iter([ZeroDivisionError(), None, None])

    def compute(parts):
        if fault := next(calls):
            raise fault
        return [list(jobs) for _, jobs in parts]

    async def body() -> None:
        with pytest.raises(ZeroDivisionError):
            await batcher.submit([1, 2, 3], [60, 60, 60], 10)
        assert batcher.jobs_waiting == 0
        assert await batcher.submit([1], [1], 10) == [1]

    batcher = Batcher(compute, 100, 10)
    batcher.start()
    asyncio.run(body())
    batcher.close()


def test_closing_finishes_what_was_accepted_and_takes_no_more():
    async def body(recorder, batcher):
        recorder.open.clear()
        taken = [asyncio.ensure_future(batcher.submit([n], [1], 10)) for n in range(5)]
        await asyncio.sleep(0.05)
        closing = asyncio.ensure_future(asyncio.to_thread(batcher.close))
        await asyncio.sleep(0.05)
        with pytest.raises(ApiError, match="stopping"):
            await batcher.submit([9], [1], 10)
        recorder.open.set()
        assert await asyncio.gather(*taken) == [[0], [2], [4], [6], [8]]
        await closing

    run(body)


def test_two_threads_share_long_calls_and_keep_their_order():
    def compute(parts):
        time.sleep(0.001 * random.random())
        return [[2 * job for job in jobs] for _, jobs in parts]

    async def body() -> list[list[int]]:
        return await asyncio.gather(*(batcher.submit(range(n, n + 40), [1] * 40, 20) for n in range(10)))

    batcher = Batcher(compute, batch_tokens=3, queue_jobs=1000, threads=2)
    batcher.start()
    found = asyncio.run(body())
    batcher.close()
    assert found == [[2 * job for job in range(n, n + 40)] for n in range(10)] and batcher.jobs_waiting == 0


@pytest.mark.parametrize("batch_tokens", [2, 100])
def test_a_long_call_alone_is_shared_by_both_threads(batch_tokens: int):
    both = threading.Barrier(2, timeout=20)
    sizes: list[int] = []

    def compute(parts):
        both.wait()
        sizes.extend(len(jobs) for _, jobs in parts)
        return [list(jobs) for _, jobs in parts]

    batcher = Batcher(compute, batch_tokens, queue_jobs=10, threads=2)
    batcher.start()
    assert asyncio.run(batcher.submit([1, 2, 3, 4], [1] * 4, 60)) == [1, 2, 3, 4]
    batcher.close()
    assert sizes == [2, 2]


NICER_THAN_THE_THREADS = """
import asyncio, os
from serving.batching import Batcher

os.nice(15)
os.setuid(65534)
batcher = Batcher(lambda parts: [[2 * job for job in jobs] for _, jobs in parts], 100, 100)
batcher.start()
print(asyncio.run(asyncio.wait_for(batcher.submit([1, 2], [1, 1], 5), 10)))
batcher.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody who may not lower a nice value")
def test_it_computes_at_a_nice_value_above_its_own():
    done = subprocess.run([sys.executable, "-c", NICER_THAN_THE_THREADS], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout == "[2, 4]\n", done.stderr
