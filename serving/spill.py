"""The spill file: what the database did not take, kept on disk until it does."""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from serving.records import Record, from_line, to_line

CHUNK = 500

log = logging.getLogger("switchboard.log")


class Spill:
    """An append-only file beside the ledger, and the part of it that is being written back.

    Several processes may share a folder: they take turns, and one at a time writes back.
    """

    def __init__(self, folder: Path, max_bytes: int, on_unreadable: Callable[[int], None] = lambda lines: None) -> None:
        """`on_unreadable` is told how many lines were no records and were put aside."""
        self._waiting = folder / "decisions.spill.jsonl"
        self._returning = folder / "decisions.returning.jsonl"
        self._turn, self._reader = folder / "decisions.spill.lock", folder / "decisions.returning.lock"
        self._unreadable = folder / "decisions.unreadable.jsonl"
        self._max_bytes, self._on_unreadable = max_bytes, on_unreadable

    def __bool__(self) -> bool:
        return self._waiting.exists() or self._returning.exists()

    def append(self, records: Sequence[Record]) -> bool:
        """Put records on disk and return whether they are; False where the disk or the limit says no."""
        lines = b"".join(map(to_line, records))
        try:
            self._waiting.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._turn):
                handle = os.open(self._waiting, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
                try:
                    return self._write(handle, lines)
                finally:
                    os.close(handle)
        except OSError:
            return False

    def _put_aside(self, lines: Sequence[bytes]) -> None:
        kept = [line.strip() + b"\n" for line in lines if line.strip()]  # blank is what `data forget` leaves
        if not kept:
            return
        handle = os.open(self._unreadable, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, b"".join(kept))
        finally:
            os.close(handle)
        log.error("spilled lines are no records", extra={"count": len(kept), "kept_in": str(self._unreadable)})
        self._on_unreadable(len(kept))

    def _write(self, handle: int, lines: bytes) -> bool:
        before = os.fstat(handle).st_size
        if before and os.pread(handle, 1, before - 1) != b"\n":
            lines = b"\n" + lines  # a crash tore the last line; what follows must not become part of it
        if before + len(lines) > self._max_bytes:
            return False
        try:
            view = memoryview(lines)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, before)  # no half line stays behind on a full disk
            raise
        return True

    def batches(self) -> Iterator[list[Record]]:
        """Yield what was spilled, oldest first; what is spilled meanwhile waits for the next time.

        The file goes when the last batch was taken; a reader that stops in between finds it whole again. Nothing is
        yielded while somebody else reads. A line that is no record, torn by a crash or written by another version, is
        put aside in decisions.unreadable.jsonl.
        """
        if not self:
            return
        try:
            with _locked(self._reader, wait=False):
                with _locked(self._turn):
                    if not self._returning.exists():
                        if not self._waiting.exists():
                            return
                        self._waiting.replace(self._returning)
                with self._returning.open("rb") as file:
                    while lines := list(islice(file, CHUNK)):
                        read = [from_line(line) for line in lines]
                        yield [record for record in read if record is not None]
                        self._put_aside([line for line, record in zip(lines, read, strict=True) if record is None])
                self._returning.unlink()
        except BlockingIOError:
            return


@contextmanager
def _locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock that every process sees and that ends with its holder; BlockingIOError where it must not be waited for."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)
