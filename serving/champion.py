"""Following the published champion: the new model is loaded, verified and warmed beside the old, then takes its place."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from configs.errors import SwitchboardError
from configs.playbook import Playbook
from serving.model import ServedModel, open_model
from training.publish import Champion, read_audit, read_champion

RETRY_S = 30.0  # a refused bundle may have been mended in place

log = logging.getLogger("switchboard.champion")


class Follower:
    """Keeps `model` at what the pointer names; on any failure the old one stays and `problem` says why."""

    def __init__(
        self, published: Path, playbook: Playbook, sharing: int, cache_entries: int, every_s: float,
        on_swap: Callable[[ServedModel], None] = lambda model: None, on_failure: Callable[[str], None] = lambda problem: None,
    ) -> None:  # fmt: skip
        self.published = published
        self.model: ServedModel | None = None
        self.problem = ""
        self._playbook, self._sharing, self._cache_entries, self._every_s = playbook, sharing, cache_entries, every_s
        self._on_swap, self._on_failure = on_swap, on_failure
        self._refused: Champion | None = None
        self._retry_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow; the first model is loaded in the background too."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; a load in progress ends first."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> bool:
        """Look at the pointer once; return whether the model changed."""
        try:
            champion = read_champion(self.published)
            if champion is None:
                raise SwitchboardError(
                    "no champion yet; run `make demo`, or `switchboard train` and `switchboard promote`"
                )
            if self._is_served(champion) or self._was_just_refused(champion):
                return False
            self._refused = champion
            model = self._open(champion)
        except Exception as error:  # whatever a library raises over a bundle's files, the old model stays and we go on
            known = isinstance(error, (SwitchboardError, OSError, ValueError))
            self._refuse(str(error) if known else f"{type(error).__name__}: {error}")
            return False
        self.model, self.problem, self._refused = model, "", None
        log.info("champion swapped", extra={"version": champion.version, "digest": champion.digest})
        self._on_swap(model)
        return True

    def _is_served(self, champion: Champion) -> bool:
        if (
            self.model is None
            or self.model.champion.digest != champion.digest
            or self.model.champion.version != champion.version
        ):
            return False
        self.problem, self._refused = "", None  # rolled back to what is served
        return True

    def _open(self, champion: Champion) -> ServedModel:
        folder = (self.published / champion.folder).resolve()
        if folder.parent != self.published.resolve():
            raise SwitchboardError(f"champion.json: folder {champion.folder!r} does not lie beside it; promote again")
        last = next(reversed(read_audit(self.published)), None)
        if last is None or (last.digest, last.version) != (champion.digest, champion.version):
            raise SwitchboardError(
                f"version {champion.version} was pointed at by hand, without an audit entry; use `switchboard promote`"
            )
        return open_model(folder, champion, self._playbook, self._sharing, self._cache_entries)

    def _was_just_refused(self, champion: Champion) -> bool:
        return self.model is not None and champion == self._refused and monotonic() < self._retry_at

    def _refuse(self, problem: str) -> None:
        self._retry_at = monotonic() + RETRY_S
        if problem != self.problem:
            log.error("champion refused", extra={"problem": problem})
            self._on_failure(problem)
        self.problem = problem

    def _run(self) -> None:
        while True:
            self.look()
            if self._stop.wait(self._every_s):
                return
