"""The decision log: every answer written off the request path, spilled to a file when the database does not take it."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from configs.errors import SwitchboardError
from serving.metrics import Metrics
from serving.records import Record, Written
from serving.spill import Spill

BATCH = 500
LINGER_S = 0.2  # between batches, so that single calls are written together
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
STOP_S = 10.0  # for the database at the end; what it has not taken by then is spilled

log = logging.getLogger("switchboard.log")


class Writer(Protocol):
    """What the decision log needs of a database."""

    def write(self, records: Sequence[Record]) -> Written:
        """Write the records, all or none but those it refuses for what they say and those that wait for another."""
        ...


class DecisionLog:
    """A bounded queue before the database; `put` never waits and never fails."""

    def __init__(
        self, writer: Writer, spill: Spill, metrics: Metrics, queue: int, upkeep: Callable[[], None] = lambda: None
    ) -> None:
        self._writer, self._spill, self._metrics, self._queue = writer, spill, metrics, queue
        self._upkeep = upkeep
        self._records: deque[Record] = deque()
        self._lock = threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._pause_until = 0.0
        self._pause = FIRST_PAUSE_S
        self._look_again_at = 0.0
        self._writing: Sequence[Record] = ()
        self._threads = [
            threading.Thread(target=self._write_on, name="decision-log", daemon=True),
            threading.Thread(target=self._guard, name="decision-spill", daemon=True),
        ]

    def __len__(self) -> int:
        return len(self._records)

    def start(self) -> None:
        """Begin to write."""
        for thread in self._threads:
            thread.start()

    def put(self, records: Sequence[Record]) -> None:
        """Take records; beyond twice the queue's length they are counted as lost."""
        room = max(0, 2 * self._queue - len(self._records))
        self._records.extend(records[:room])
        if room < len(records):
            self._metrics.log_lost.inc(len(records) - room)
        if len(self._records) > self._queue:
            self._wake.set()

    def stop(self) -> None:
        """Write or spill all that was taken, then return, also where the database hangs."""
        self._stop.set()
        self._wake.set()
        end = monotonic() + STOP_S
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, end - monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            log.error("the database hangs; spilling what it has not taken")
            with self._lock:  # what is being written too: should the database take it after all, it knows it by its ids
                left = [*self._writing, *self._records]
                self._records.clear()
            for start in range(0, len(left), BATCH):
                self._spill_or_lose(left[start : start + BATCH])

    def _write_on(self) -> None:
        while not self._stop.wait(LINGER_S):
            self._bring_back()  # first, so that a correction finds the decision it names
            self._write_waiting()
            if not self._is_paused():
                self._try(self._upkeep)
        self._write_waiting()

    def _write_waiting(self) -> None:
        while batch := self._take_to_write():
            written = None if self._is_paused() else self._write(batch)
            if written is None:
                self._spill_or_lose(batch)
            else:
                self._metrics.log_lost.inc(written.refused)

    def _guard(self) -> None:
        """Spill the oldest when the queue is long because the writer hangs in the database."""
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            while len(self._records) > self._queue and (batch := self._take()):
                self._spill_or_lose(batch)

    def _take(self) -> list[Record]:
        with self._lock:
            return self._take_first()

    def _take_to_write(self) -> Sequence[Record]:
        with self._lock:
            self._writing = self._take_first()
            return self._writing

    def _take_first(self) -> list[Record]:
        return [self._records.popleft() for _ in range(min(BATCH, len(self._records)))]

    def _write(self, batch: Sequence[Record]) -> Written | None:
        """Return what became of a batch, of which what must wait goes to the spill; None where the database took none."""
        found: list[Written] = []
        if not self._try(lambda: found.append(self._writer.write(batch))):
            return None
        written = found[0]
        self._metrics.log_written.inc(len(batch) - written.refused - len(written.waiting))
        if written.waiting:
            self._look_again_at = monotonic() + LONGEST_PAUSE_S
            if not self._spill.append(written.waiting):
                self._lose(written.waiting)
        return written

    def _bring_back(self) -> None:
        if self._is_paused() or monotonic() < self._look_again_at or not self._spill:
            return
        lost = 0
        try:
            for batch in self._spill.batches():
                written = None if self._stop.is_set() else self._write(batch)
                if written is None:
                    return
                lost += written.refused
            self._metrics.log_lost.inc(lost)  # only now that the file is gone, else the same would be refused again
        except OSError as error:  # the disk's fault, not the database's, which goes on taking what is new
            self._look_again_at = monotonic() + LONGEST_PAUSE_S
            log.error("the spill file cannot be read back", extra={"reason": error.strerror})

    def _try(self, action: Callable[[], None]) -> bool:
        """Return whether an action on the database worked; after a failure it is left alone for a while."""
        try:
            action()
        except Exception as error:  # whatever the driver raises, the service goes on
            self._pause_until = monotonic() + self._pause
            self._pause = min(LONGEST_PAUSE_S, 2 * self._pause)
            reason = str(error) if isinstance(error, SwitchboardError) else type(error).__name__
            log.error("the database does not take decisions", extra={"reason": reason, "spilling": True})
            return False
        self._pause = FIRST_PAUSE_S
        return True

    def _is_paused(self) -> bool:
        return monotonic() < self._pause_until

    def _spill_or_lose(self, batch: Sequence[Record]) -> None:
        if self._spill.append(batch):
            self._metrics.log_spilled.inc(len(batch))
        else:
            self._lose(batch)

    def _lose(self, batch: Sequence[Record]) -> None:
        self._metrics.log_lost.inc(len(batch))
        log.error("decisions lost: neither the database nor the spill file takes them", extra={"count": len(batch)})
