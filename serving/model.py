"""The model in service: a verified bundle, warmed, with its cache of scores; replaced whole, never changed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configs.playbook import Playbook
from serving.decisions import Decider, Scored
from serving.score_cache import ScoreCache, Scores
from training.bundle import BundleError
from training.predictor import Predictor
from training.publish import Champion

log = logging.getLogger("switchboard.model")


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
        claim = self.cache.claim(cleaned)
        known: Scores = {}
        try:
            if claim.mine:
                known.update(zip(claim.mine, self.decider.score(claim.mine), strict=True))
        finally:
            self.cache.settle(claim, known.copy())
        known.update(claim.known)
        for text, theirs in claim.theirs.items():  # own texts are settled first: nobody waits for who waits
            if (scored := theirs.result().get(text)) is not None:
                known[text] = scored
        failed = [text for text in claim.theirs if text not in known]
        again, more = self.score(failed) if failed else ([], 0)  # another caller's fault stays its own
        known.update(zip(failed, again, strict=True))
        return [known[text] for text in cleaned], len(claim.mine) + more


def open_model(folder: Path, champion: Champion, playbook: Playbook, sharing: int, cache_entries: int) -> ServedModel:
    """Return a model fit to serve: digests verified, golden predictions reproduced, and so warm; else raise by name.

    A batch is computed by the thread that took it; up to `sharing` processors share a text that comes alone.
    """
    predictor = Predictor(folder, threads=1)
    if predictor.digest != champion.digest:
        raise BundleError(
            f"{folder}: digest {predictor.digest[:12]}, but the pointer says {champion.digest[:12]}; promote again"
        )
    predictor.check_golden()
    shared = predictor.share(sharing)
    log.info("model opened", extra={"version": champion.version, "processors_a_lone_text": sharing if shared else 1})
    return ServedModel(Decider(predictor, playbook), champion, ScoreCache(cache_entries))
