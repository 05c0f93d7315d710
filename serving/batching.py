"""Micro-batching by tokens: calls wait in a bounded queue, few threads score them together, and idle means no wait.

Knows nothing of HTTP. What it computes is given as a function of the batch.
"""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypeVar

from serving.errors import ApiError

J = TypeVar("J")
RATE_MEMORY = 0.3  # weight of the last batch in the running rate
DEADLINE_SHARE = 0.5  # of the deadline may be spent waiting, by the estimate at admission; the rest is for its error
MAX_RETRY_AFTER_S = 60
YIELDING = 5  # nice value of the threads that compute: whoever takes and refuses calls goes first


@dataclass(eq=False)
class Ticket(Generic[J]):
    """One call's jobs; `results` fills in their order, and `done` is told once."""

    jobs: Sequence[J]
    sizes: Sequence[int]
    expires: float
    done: Callable[["Ticket[J]"], None]
    context: Any = None
    results: list[Any] = field(default_factory=list)
    taken: int = 0
    computed: int = 0
    error: Exception | None = None
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.results = [None] * len(self.jobs)

    @property
    def left(self) -> int:
        """How many jobs no thread has taken yet."""
        return len(self.jobs) - self.taken


class Batcher(Generic[J]):
    """A bounded queue and the threads that empty it, in batches of about `batch_tokens`.

    What waits is shared evenly between the threads that are free, so that none is idle while another has all of it.
    """

    def __init__(
        self,
        compute: Callable[[list[tuple[Ticket[J], Sequence[J]]]], list[list[Any]]],
        batch_tokens: int,
        queue_jobs: int,
        on_batch: Callable[[int, int, float], None] = lambda jobs, tokens, seconds: None,
        threads: int = 1,
    ) -> None:
        self._compute = compute
        self._batch_tokens = batch_tokens
        self._queue_jobs = queue_jobs
        self._on_batch = on_batch
        self._waiting: deque[Ticket[J]] = deque()
        self._condition = threading.Condition()
        self._tokens_waiting = self._tokens_computing = 0
        self._tokens_per_s = 0.0
        self._closed = False
        self.jobs_waiting = 0
        self._busy = 0
        self._threads = [threading.Thread(target=self._run, name=f"batcher-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Begin to compute."""
        for thread in self._threads:
            thread.start()

    async def submit(
        self, jobs: Sequence[J], sizes: Sequence[int], deadline_s: float, context: Any = None
    ) -> list[Any]:
        """Return one result a job, in order; raise `overloaded` where it was not begun in time, `timeout` where not ended."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        def done(_: Ticket[J]) -> None:
            loop.call_soon_threadsafe(wake)

        ticket = Ticket(jobs, sizes, monotonic() + deadline_s, done, context)
        self._admit(ticket, deadline_s)
        try:
            await future
        except asyncio.CancelledError:
            ticket.cancelled = True
            raise
        if ticket.error is not None:
            raise ticket.error
        return ticket.results

    def close(self) -> None:
        """Finish what was accepted, then stop the threads."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def expected_wait(self) -> float:
        """Return the seconds until a call accepted now is begun, by the rate of late."""
        ahead = self._tokens_waiting + self._tokens_computing
        return ahead / self._tokens_per_s if self._tokens_per_s else 0.0

    def check_room(self, jobs: int, deadline_s: float) -> None:
        """Raise `overloaded` if so many jobs would not be taken now, `not_ready` if no more are."""
        wait = self.expected_wait()
        if self._closed:
            raise ApiError("not_ready", "the service is stopping; call another one", headers={"Connection": "close"})
        if self.jobs_waiting + jobs > self._queue_jobs or wait > DEADLINE_SHARE * deadline_s:
            raise _overloaded("the queue is full", wait, self.jobs_waiting)

    def _admit(self, ticket: Ticket[J], deadline_s: float) -> None:
        with self._condition:
            self.check_room(len(ticket.jobs), deadline_s)
            self._waiting.append(ticket)
            self.jobs_waiting += len(ticket.jobs)
            self._tokens_waiting += sum(ticket.sizes)
            self._condition.notify()

    def _run(self) -> None:
        if sys.platform == "linux":  # where a thread has a nice value of its own, which it may only raise
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(YIELDING, os.getpriority(os.PRIO_PROCESS, thread)))
        while True:
            with self._condition:
                while not self._waiting and not self._closed:
                    self._condition.wait()
                if not self._waiting:
                    return
                parts, starts, tokens = self._take()
                self._busy += 1
                self._tokens_computing += tokens
                if self._waiting:  # a long call alone is work for the other thread too
                    self._condition.notify()
            try:
                if parts:
                    self._serve(parts, starts, tokens)
            finally:
                with self._condition:
                    self._busy -= 1
                    self._tokens_computing -= tokens

    def _take(self) -> tuple[list[tuple[Ticket[J], Sequence[J]]], list[int], int]:
        """Take this thread's share of the tickets, or of a long one, in one batch; drop what nobody waits for."""
        parts: list[tuple[Ticket[J], Sequence[J]]] = []
        starts: list[int] = []
        tokens, now = 0, monotonic()
        most = min(self._batch_tokens, -(-self._tokens_waiting // (len(self._threads) - self._busy)))
        while self._waiting and tokens < most:
            ticket = self._waiting[0]
            if ticket.cancelled or ticket.expires <= now:
                self._drop(ticket)
                continue
            start = end = ticket.taken
            while end < len(ticket.jobs) and (end == start or tokens < most):
                tokens += ticket.sizes[end]
                end += 1
            parts.append((ticket, ticket.jobs[start:end]))
            starts.append(start)
            ticket.taken = end
            self.jobs_waiting -= end - start
            self._tokens_waiting -= sum(ticket.sizes[start:end])
            if end < len(ticket.jobs):
                break
            self._waiting.popleft()
        return parts, starts, tokens

    def _drop(self, ticket: Ticket[J]) -> None:
        self._waiting.popleft()
        self.jobs_waiting -= ticket.left
        self._tokens_waiting -= sum(ticket.sizes[ticket.taken :])
        if ticket.taken:
            ticket.error = ApiError("timeout", "the deadline passed half way; send fewer messages a call")
        else:
            ticket.error = _overloaded("the deadline passed in the queue", self.expected_wait(), self.jobs_waiting)
        ticket.done(ticket)

    def _serve(self, parts: list[tuple[Ticket[J], Sequence[J]]], starts: Sequence[int], tokens: int) -> None:
        started = monotonic()
        try:
            found = self._compute(parts)
        except Exception as error:  # a fault of ours: each caller is told, the thread lives
            self._fail(parts, error)
            return
        seconds = monotonic() - started
        with self._condition:
            rate = self._busy * tokens / max(seconds, 1e-6)
            self._tokens_per_s += (rate - self._tokens_per_s) * (RATE_MEMORY if self._tokens_per_s else 1.0)
            for (ticket, _), start, results in zip(parts, starts, found, strict=True):
                ticket.results[start : start + len(results)] = results
                ticket.computed += len(results)
            finished = [one for one, _ in parts if one.computed == len(one.jobs) and one.error is None]
        for ticket in finished:
            ticket.done(ticket)
        self._on_batch(sum(len(jobs) for _, jobs in parts), tokens, seconds)

    def _fail(self, parts: list[tuple[Ticket[J], Sequence[J]]], error: Exception) -> None:
        for ticket, _ in parts:
            ticket.error = error
            with self._condition:
                if self._waiting and self._waiting[0] is ticket:
                    self._waiting.popleft()
                    self.jobs_waiting -= ticket.left
                    self._tokens_waiting -= sum(ticket.sizes[ticket.taken :])
            ticket.done(ticket)


def _overloaded(reason: str, wait: float, jobs: int) -> ApiError:
    seconds = min(MAX_RETRY_AFTER_S, max(1, round(wait + 0.5)))
    return ApiError(
        "overloaded",
        f"{reason}, nothing was computed; try again in {seconds} s",
        {"retry_after_s": seconds, "queued_messages": jobs},
        {"Retry-After": str(seconds)},
    )
