"""Which messages are worth a labeler's time: orders and draws over arrays; knows nothing of models or servers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LEAST_WEIGHT = 1e-3  # of a message the model is sure of


@dataclass(frozen=True, slots=True)
class Candidates:
    """What can be chosen, a row a message, and what is known of it without a person.

    scores (N, L): calibrated, rows sum to 1. embeddings (N, D): rows of length 1. other_scores (N, L): a second
    opinion, NaN rows where there is none. automatic (N,): decided without a person. no_reply (N,): left out as belonging
    nowhere. fresh (N,): neither labelled nor chosen before.
    pooled (N,): fresh and looked at closely, so that its embedding is there. drawn (N,): drawn at random before.
    label_counts (L,): how many labels of each there are.
    """

    ids: Sequence[str]
    labels: Sequence[str]
    scores: np.ndarray
    embeddings: np.ndarray
    other_scores: np.ndarray
    automatic: np.ndarray
    no_reply: np.ndarray
    fresh: np.ndarray
    pooled: np.ndarray
    drawn: np.ndarray
    label_counts: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The class id with the highest score, (N,)."""
        return self.scores.argmax(axis=1)


def margins(scores: np.ndarray) -> np.ndarray:
    """Return the lead of the best label over the second (N,): the smaller, the less certain."""
    two = np.partition(scores, -2, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


def divergences(scores: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon divergence in bits (N,) of two opinions; 0 where the other is missing."""
    known = ~np.isnan(other).any(axis=1)
    found = np.zeros(len(scores))
    p, q = scores[known], other[known]
    middle = (p + q) / 2
    found[known] = (_divergence(p, middle) + _divergence(q, middle)) / 2
    return found


def by_uncertainty(candidates: Candidates, allowed: np.ndarray) -> np.ndarray:
    """Return the allowed rows, the smallest margin first."""
    return _ordered(margins(candidates.scores), allowed)


def by_disagreement(candidates: Candidates, allowed: np.ndarray) -> np.ndarray:
    """Return the allowed rows on whose best label two opinions differ, the widest apart first."""
    differ = candidates.predicted != np.nan_to_num(candidates.other_scores, nan=-1.0).argmax(axis=1)
    known = ~np.isnan(candidates.other_scores).any(axis=1)
    return _ordered(-divergences(candidates.scores, candidates.other_scores), allowed & differ & known)


def by_rarity(candidates: Candidates, allowed: np.ndarray) -> np.ndarray:
    """Return the allowed rows predicted as a label with fewer labels than the median, turn by turn, rarest first."""
    rare = np.flatnonzero(candidates.label_counts < np.median(candidates.label_counts))
    rare = rare[np.argsort(candidates.label_counts[rare], kind="stable")]
    queues = [_ordered(-candidates.scores[:, label], allowed & (candidates.predicted == label)) for label in rare]
    return _turn_by_turn(queues)


def by_coverage(candidates: Candidates, allowed: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the allowed rows turn by turn from `count` groups of like messages, the most typical of each first.

    Doubtful messages pull the groups towards them: k-means weighted by 1 - margin.
    """
    rows = np.flatnonzero(allowed)
    if len(rows) <= count or count < 2:
        return rows
    doubt = 1.0 - margins(candidates.scores[rows]) + _LEAST_WEIGHT
    groups, distances = _group(candidates.embeddings[rows], count, seed, doubt)
    largest_first = np.argsort(-np.bincount(groups, minlength=count), kind="stable")
    members = [np.flatnonzero(groups == group) for group in largest_first]
    return _turn_by_turn([rows[own[np.argsort(distances[own], kind="stable")]] for own in members])


def spread(order: np.ndarray, embeddings: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Return the same rows turn by turn from groups of like messages, each group in the order given."""
    if len(order) <= clusters or clusters < 2:
        return order
    groups, _ = _group(embeddings[order], clusters, seed)
    return _turn_by_turn([order[groups == group] for group in dict.fromkeys(groups.tolist())])


def take(order: np.ndarray, count: int, embeddings: np.ndarray, taken: Sequence[int], near: float) -> list[int]:
    """Return the first `count` rows that are no near duplicate (cosine >= `near`) of a taken one or of each other."""
    kept = list(taken)
    chosen: list[int] = []
    for row in order:
        if len(chosen) == count:
            break
        if kept and float((embeddings[kept] @ embeddings[row]).max()) >= near:
            continue
        kept.append(int(row))
        chosen.append(int(row))
    return chosen


def draw(allowed: np.ndarray, count: int, rng: np.random.Generator) -> tuple[list[int], float]:
    """Return up to `count` rows drawn evenly from the allowed ones, and the probability each had."""
    pool = np.flatnonzero(allowed)
    count = min(count, len(pool))
    rows = rng.choice(pool, size=count, replace=False) if count else np.array([], dtype=int)
    return [int(row) for row in rows], count / len(pool) if len(pool) else 0.0


def draw_share(strata: Sequence[str], share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a mask (N,) that holds `share` of every stratum, at random, rounded up or down at random."""
    mask = np.zeros(len(strata), dtype=bool)
    names = np.array(strata, dtype=object)
    for name in dict.fromkeys(strata):
        rows = rng.permutation(np.flatnonzero(names == name))
        places = np.floor((np.arange(len(rows) + 1)) * share + rng.random()).astype(int)
        mask[rows[np.diff(places) > 0]] = True
    return mask


def _group(
    vectors: np.ndarray, clusters: int, seed: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each vector's group (N,) and its distance to the group's centre (N,)."""
    from sklearn.cluster import KMeans

    means = KMeans(clusters, random_state=seed)
    groups = np.asarray(means.fit_predict(vectors, sample_weight=weights))
    return groups, np.linalg.norm(vectors - means.cluster_centers_[groups], axis=1)


def _ordered(values: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(allowed)
    return rows[np.argsort(values[rows], kind="stable")]


def _turn_by_turn(queues: Sequence[np.ndarray]) -> np.ndarray:
    longest = max((len(queue) for queue in queues), default=0)
    turns = [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
    return np.array(turns, dtype=int)


def _divergence(p: np.ndarray, middle: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log2(p / middle), 0.0).sum(axis=1)
