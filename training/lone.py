"""A text that comes alone: processors share its network, where that is measured to be faster than one processor."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime as ort

from training.bundle import BundleError

OUTPUTS = ["logits", "doubt"]
LEAST_SPEEDUP = 1.1
MOST_BYTES = 100 << 20  # of a network that is held twice
ROUNDS = 6
CROWD_MEMORY = 4  # runs

Batch = tuple[np.ndarray, np.ndarray]  # padded token ids and mask, each (B, T)


class Lanes:
    """A network's session, and where it pays a second one whose threads share each operation; safe between threads.

    The second is for one text after several that met no other: texts that come together are done sooner side by side.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.session = open_session(path, threads)
        self.shared: ort.InferenceSession | None = None
        self._path = path
        self._running = 0
        self._lonely = 0  # runs of one text, in a row, that met no other
        self._lock = threading.Lock()

    @contextmanager
    def lane(self, rows: int) -> Iterator[ort.InferenceSession]:
        """Yield the session by which so many rows are computed soonest now."""
        with self._lock:
            self._running += 1
            self._lonely = self._lonely + 1 if rows == 1 and self._running == 1 else 0
            alone = self._lonely > CROWD_MEMORY
        try:
            yield self.shared if self.shared is not None and alone else self.session
        finally:
            with self._lock:
                self._running -= 1

    def share(self, threads: int, rows: Sequence[Batch]) -> bool:
        """Open the second session if so many threads give the same for each row, sooner; return whether they do."""
        if threads < 2 or self._path.stat().st_size > MOST_BYTES:
            return False
        shared = open_session(self._path, threads, share=True)
        for row in rows:
            for one, other in zip(run(self.session, row), run(shared, row), strict=True):
                if not np.allclose(one, other, atol=1e-3):
                    return False
        if is_faster(self.session, shared, rows):
            self.shared = shared
        return self.shared is not None


def is_faster(session: ort.InferenceSession, shared: ort.InferenceSession, rows: Sequence[Batch]) -> bool:
    """Return whether the second is, by the quickest of rounds in turn for each row: others' work slows some."""
    seconds = np.array(
        [[[_seconds(one, row) for one in (session, shared)] for row in rows] for _ in range(ROUNDS)]
    )  # (round, row, session)
    alone, together = seconds.min(axis=0).sum(axis=0)
    return bool(alone >= LEAST_SPEEDUP * together)


def run(session: ort.InferenceSession, batch: Batch) -> list[np.ndarray]:
    """Return label logits (B, L) and doubt logits (B,)."""
    ids, mask = batch
    return [np.asarray(one) for one in session.run(OUTPUTS, {"input_ids": ids, "attention_mask": mask})]


def open_session(path: Path, threads: int, *, share: bool = False) -> ort.InferenceSession:
    """Return a session that computes in so many threads.

    Those that `share` each operation wait for its next by spinning, as long as a run lasts. Else none spins: it takes
    the processor from whatever else runs here, and on a busy machine that halves the speed.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(share)))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BundleError(f"{path}: ONNX Runtime cannot load it: {str(error).splitlines()[0]}") from None


def _seconds(session: ort.InferenceSession, batch: Batch) -> float:
    began = perf_counter()
    run(session, batch)
    return perf_counter() - began
