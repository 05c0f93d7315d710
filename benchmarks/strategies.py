"""Ways to choose what to label next, to compare: the product's own by their mix, and others that it does not have.

Each takes candidates, how many, a seed and a shuffled order of all rows, and returns rows, the most wanted first.
"""

from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans

from configs.labeling import Mix, load_labeling
from labeling.batch import choose
from labeling.select import Candidates, by_disagreement, by_uncertainty, margins

Strategy = Callable[[Candidates, int, int, list[int]], list[int]]
SECOND_OPINION = "disagreement"  # the one that needs a second model


def strategies() -> dict[str, Strategy]:
    """Return every strategy by name, `random` first."""
    return {
        "random": draw_evenly,
        "as configured": by_mix(),
        "coverage": by_mix(coverage=1),
        "uncertain, spread": by_mix(uncertain=1),
        "coverage and uncertain": by_mix(coverage=0.5, uncertain=0.5),
        "coverage and random": by_mix(coverage=0.8, random=0.2),
        "uncertain and random": by_mix(uncertain=0.8, random=0.2),
        "rare segments": by_mix(rare=1),
        "margin": by_margin,
        "entropy": by_entropy,
        "clusters": by_clusters,
        "clusters, then margin": by_clusters_then_margin,
        "gradients (BADGE)": by_gradients,
        SECOND_OPINION: by_second_opinion,
    }


def by_mix(**shares: float) -> Strategy:
    """Return the product's choice with this mix, the configured one if none is given."""
    overrides = tuple(f"mix.{name}={shares.get(name, 0)}" for name in Mix.model_fields) if shares else ()
    labeling = load_labeling(overrides)
    return lambda candidates, count, seed, order: [item.row for item in choose(candidates, count, labeling, seed)]


def draw_evenly(candidates: Candidates, count: int, seed: int, order: list[int]) -> list[int]:
    """Return the next rows of the shuffled order."""
    return [row for row in order if candidates.fresh[row]][:count]


def by_margin(candidates: Candidates, count: int, seed: int, order: list[int]) -> list[int]:
    """Return the rows with the smallest lead of the best label over the second."""
    return by_uncertainty(candidates, candidates.pooled)[:count].tolist()


def by_entropy(candidates: Candidates, count: int, seed: int, order: list[int]) -> list[int]:
    """Return the rows whose scores are spread most evenly."""
    rows, scores = np.flatnonzero(candidates.pooled), np.maximum(candidates.scores, 1e-12)
    entropy = -(scores * np.log(scores)).sum(axis=1)[rows]
    return rows[np.argsort(-entropy, kind="stable")][:count].tolist()


def by_clusters(candidates: Candidates, count: int, seed: int, order: list[int]) -> list[int]:
    """Return the row nearest to the centre of each of `count` groups, whatever the model says."""
    rows = np.flatnonzero(candidates.pooled)
    distances = KMeans(count, random_state=seed).fit(candidates.embeddings[rows]).transform(candidates.embeddings[rows])
    return _first_of_each(rows, distances.argmin(axis=1), distances.min(axis=1))


def by_clusters_then_margin(candidates: Candidates, count: int, seed: int, order: list[int]) -> list[int]:
    """Return the least certain row of each of `count` groups."""
    rows = np.flatnonzero(candidates.pooled)
    groups = KMeans(count, random_state=seed).fit_predict(candidates.embeddings[rows])
    return _first_of_each(rows, groups, margins(candidates.scores[rows]))


def by_gradients(candidates: Candidates, count: int, seed: int, order: list[int]) -> list[int]:
    """Return rows drawn apart (k-means++) by what the predicted label would teach the last layer (Ash et al. 2020)."""
    rng, rows = np.random.default_rng(seed), np.flatnonzero(candidates.pooled)
    errors, embeddings = candidates.scores[rows].copy(), candidates.embeddings[rows]
    errors[np.arange(len(rows)), errors.argmax(axis=1)] -= 1.0
    lengths = (errors**2).sum(axis=1) * (embeddings**2).sum(axis=1)
    chosen, far = [int(lengths.argmax())], np.full(len(rows), np.inf)
    while len(chosen) < min(count, len(rows)):
        last = chosen[-1]
        products = (errors @ errors[last]) * (embeddings @ embeddings[last])  # of the gradients, never written out
        far = np.minimum(far, np.maximum(lengths + lengths[last] - 2 * products, 0.0))
        far[chosen] = 0.0
        chosen.append(int(rng.choice(len(rows), p=far / far.sum())))
    return rows[chosen].tolist()


def by_second_opinion(candidates: Candidates, count: int, seed: int, order: list[int]) -> list[int]:
    """Return the rows on whose label a model of words and the model of meaning differ, the widest apart first."""
    return by_disagreement(candidates, candidates.pooled)[:count].tolist()


def _first_of_each(rows: np.ndarray, groups: np.ndarray, values: np.ndarray) -> list[int]:
    firsts = [own[values[own].argmin()] for group in np.unique(groups) if len(own := np.flatnonzero(groups == group))]
    return rows[firsts].tolist()
