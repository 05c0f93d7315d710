"""New labels become a challenger: pulled on a schedule or nudge, trained one at a time once enough have come."""

import fcntl
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from configs.errors import SwitchboardError
from configs.labeling import Watch
from configs.paths import var_dir
from data.ledger import Ledger

_COUNTED = frozenset({"labeler", "review", "feedback", "import"})
_UNDER_WAY = "under way"

log = logging.getLogger("switchboard.watch")


class RetrainResult(Protocol):
    """What watching needs to know of a training: the challenger's version, the gate's verdict, and whether it serves."""

    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def passed(self) -> bool: ...  # noqa: D102
    @property
    def promoted(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class State:
    """How far the last training went: the last event it knew, and how it ended (`ok` or the reason)."""

    trained_seq: int = 0
    tried_seq: int = 0
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a training is worth it now, and the numbers that say so."""

    now: bool
    new: int
    needed: int
    last_seq: int

    @property
    def reason(self) -> str:
        """The numbers in words."""
        return f"{self.new} new labels, {self.needed} are enough"


def is_due(ledger: Ledger, state: State, watch: Watch) -> Due:
    """Return whether enough messages were newly labelled; after a failure, not before another label has come."""
    labelled: set[str] = set()
    fresh: set[str] = set()
    last = 0
    for stored in ledger.events.all():
        last = stored.seq
        if stored.event.origin in _COUNTED and stored.event.kind != "skip":
            labelled.add(stored.event.message_id)
            if stored.seq > state.trained_seq:
                fresh.add(stored.event.message_id)
    needed = max(watch.min_new, round(watch.min_share * len(labelled)))
    return Due(len(fresh) >= needed and last > state.tried_seq, len(fresh), needed, last)


class Watcher:
    """One round after the other; `nudge` hurries the next."""

    def __init__(
        self, ledger: Ledger, watch: Watch, pull: Callable[[], int], retrain: Callable[[str], RetrainResult] | None, folder: Path | None = None,
    ) -> None:  # fmt: skip
        self._ledger, self._watch, self._pull, self._retrain = ledger, watch, pull, retrain
        self._folder = folder or var_dir() / "labeling"
        self._nudged, self._stopped = threading.Event(), False
        self._last_label_at = 0.0

    def nudge(self) -> None:
        """Hurry the next round."""
        self._nudged.set()

    def stop(self) -> None:
        """End `run` after the round under way."""
        self._stopped = True
        self._nudged.set()

    def run(self) -> None:
        """Pull, and train when due, until stopped; a round that fails is logged and the next one tries again."""
        while not self._stopped:
            self._nudged.clear()
            pause = self._watch.every_s
            try:
                self.round()
                if self._is_restless():
                    pause = min(pause, self._watch.quiet_s)
            except SwitchboardError as error:
                log.error("round failed: %s", error)
            if not self._stopped:
                self._nudged.wait(pause)

    def round(self) -> RetrainResult | None:
        """Pull once; train if enough new labels have come and stopped coming for a while."""
        try:
            if self._pull():
                self._last_label_at = time.monotonic()
        except SwitchboardError as error:
            log.error("pull failed, labels wait on the server: %s", error)
        if self._retrain is None:
            return None
        with _alone(self._folder) as mine:
            if not mine:
                log.info("another training is under way")
                return None
            state = self._read()
            if state.outcome == _UNDER_WAY:  # yet nobody holds the lock
                log.warning("the last training was killed; the champion serves on, the next label begins another")
            due = is_due(self._ledger, state, self._watch)
            log.info("%s", due.reason)
            if not due.now or self._is_restless():
                return None
            return self._train(due, self._retrain)

    def _is_restless(self) -> bool:
        return self._last_label_at > 0 and time.monotonic() - self._last_label_at < self._watch.quiet_s

    def _train(self, due: Due, retrain: Callable[[str], RetrainResult]) -> RetrainResult | None:
        before = self._read()
        try:
            # Written first: a training that takes the machine down with it is not begun again by itself.
            self._write(State(before.trained_seq, due.last_seq, _UNDER_WAY))
            result = retrain(due.reason)
        except (KeyboardInterrupt, SystemExit):  # somebody stopped us, so the next start trains
            self._write(before)
            raise
        except Exception as error:  # whatever a training raises, the champion goes on serving and watching goes on
            self._write(State(before.trained_seq, due.last_seq, f"{type(error).__name__}: {error}"))
            log.exception("training failed, the champion goes on serving")
            return None
        self._write(State(due.last_seq, due.last_seq, "ok"))
        verdict = "promoted" if result.promoted else "passed the gate" if result.passed else "did not pass the gate"
        log.info("challenger %s %s", result.version, verdict)
        return result

    def _read(self) -> State:
        path = self._folder / "watch.json"
        return State(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else State()

    def _write(self, state: State) -> None:
        path = self._folder / "watch.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(state)), encoding="utf-8")
        temporary.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Yield whether nobody else trains; the lock dies with its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "retrain.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
