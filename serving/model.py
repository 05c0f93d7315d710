"""The model in service: a verified bundle, warmed, with its cache of scores; replaced whole, never changed."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configs.playbook import Playbook
from serving.decisions import Decider, Scored
from training.bundle import BundleError
from training.predictor import Predictor
from training.publish import Champion


class ScoreCache:
    """The scores of the texts read last, by what the model reads of them; bounded, and safe between threads."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._scores: OrderedDict[str, Scored] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._scores)

    def get(self, cleaned: Sequence[str]) -> dict[str, Scored]:
        """Return what is known of the given texts."""
        found: dict[str, Scored] = {}
        with self._lock:
            for text in cleaned:
                if (scored := self._scores.get(text)) is not None:
                    self._scores.move_to_end(text)
                    found[text] = scored
        return found

    def put(self, scores: dict[str, Scored]) -> None:
        """Keep scores, and drop those unused for longest."""
        with self._lock:
            self._scores.update(scores)
            while len(self._scores) > self._entries:
                self._scores.popitem(last=False)


@dataclass(frozen=True)
class ServedModel:
    """A decider with its origin; the cache lives and dies with it, so no score outlives its model."""

    decider: Decider
    champion: Champion
    cache: ScoreCache = field(repr=False)

    @property
    def versions(self) -> dict[str, str]:
        """What decided: each answer carries it."""
        info = self.decider.predictor.info
        return {
            "name": self.champion.name,
            "version": self.champion.version,
            "digest": self.champion.digest,
            "taxonomy_version": info.taxonomy_version,
            "playbook_version": self.decider.playbook.version,
        }

    def score(self, cleaned: Sequence[str]) -> tuple[list[Scored], int]:
        """Return what the model says of each cleaned text, and how many needed computing: repeats are scored once."""
        known = self.cache.get(cleaned)
        missing = [text for text in dict.fromkeys(cleaned) if text not in known]
        if missing:
            fresh = dict(zip(missing, self.decider.score(missing), strict=True))
            self.cache.put(fresh)
            known.update(fresh)
        return [known[text] for text in cleaned], len(missing)


def open_model(folder: Path, champion: Champion, playbook: Playbook, threads: int, cache_entries: int) -> ServedModel:
    """Return a model fit to serve: digests verified, golden predictions reproduced, and so warm; else raise by name."""
    predictor = Predictor(folder, threads=threads)
    if predictor.digest != champion.digest:
        raise BundleError(
            f"{folder}: digest {predictor.digest[:12]}, but the pointer says {champion.digest[:12]}; promote again"
        )
    predictor.check_golden()
    return ServedModel(Decider(predictor, playbook), champion, ScoreCache(cache_entries))
