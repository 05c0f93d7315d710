"""Whether a stream has departed from its reference: label mix, confidence, length, vocabulary; arrays in, values out.

The population stability index says how far, a permutation test whether chance explains it: with few messages the index
is large by chance alone, so both must speak before anybody is woken.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10
NOTABLE = 0.1  # the customary reading of the index; from 0.25 on it is large
PERMUTATIONS = 500
_WORD = re.compile(r"[a-z][a-z'-]{2,}")


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one aspect moved, and how often chance alone moves it as far."""

    aspect: str
    index: float
    p_value: float
    reference: int
    current: int

    @property
    def alert(self) -> bool:
        """Whether the move is notable and beyond chance (1%)."""
        return self.index >= NOTABLE and self.p_value < 0.01


@dataclass(frozen=True, slots=True)
class Rise:
    """A word that more messages hold than before."""

    word: str
    before: float
    now: float
    messages: int


def stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the population stability index of two lists of counts (K,); half a message is put into each bin."""
    expected, actual = reference + 0.5, current + 0.5
    expected, actual = expected / expected.sum(), actual / actual.sum()
    return float(((actual - expected) * np.log(actual / expected)).sum())


def category_drift(aspect: str, reference: Sequence[str], current: Sequence[str]) -> Drift:
    """Return how far the mix of categories (labels, channels, reasons) moved."""
    names = sorted({*reference, *current})
    places = {name: place for place, name in enumerate(names)}
    return _drift(aspect, [places[one] for one in reference], [places[one] for one in current], len(names))


def number_drift(aspect: str, reference: np.ndarray, current: np.ndarray, bins: int = BINS) -> Drift:
    """Return how far a distribution (confidence, doubt, length) moved, over the reference's quantiles."""
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1])) if len(reference) else np.zeros(0)
    if (
        len(edges) and edges[-1] == reference.max()
    ):  # many alike at the top: what lies beyond them is seen by an edge of its own
        edges = np.append(edges, np.nextafter(edges[-1], np.inf))
    old, new = np.searchsorted(edges, reference, side="right"), np.searchsorted(edges, current, side="right")
    return _drift(aspect, old, new, len(edges) + 1)


def known_share(texts: Sequence[str], vocabulary: set[str]) -> np.ndarray:
    """Return for each text (N,) the share of its words that the vocabulary has; 1 where it has no words."""
    shares = [[word in vocabulary for word in words_of(text)] for text in texts]
    return np.array([float(np.mean(known)) if known else 1.0 for known in shares])


def vocabulary_of(texts: Sequence[str], least: int = 2) -> set[str]:
    """Return the words that at least so many texts hold."""
    return {word for word, count in _document_counts(texts).items() if count >= least}


def rising_words(reference: Sequence[str], current: Sequence[str], top: int = 10, least: int = 5) -> list[Rise]:
    """Return the words that rose beyond chance (two-proportion z > 3), the surest first."""
    old, new = _document_counts(reference), _document_counts(current)
    before, now = max(1, len(reference)), max(1, len(current))
    scored = []
    for word, count in new.items():
        pooled = (count + old[word]) / (before + now)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / before + 1 / now))
        z = (count / now - old[word] / before) / spread if spread else 0.0
        if count >= least and z > 3:
            scored.append((-z, Rise(word, old[word] / before, count / now, count)))
    return [rise for _, rise in sorted(scored, key=lambda one: (one[0], one[1].word))[:top]]


def words_of(text: str) -> list[str]:
    """Return the lower-case words of three letters and more."""
    return _WORD.findall(text.lower())


def _document_counts(texts: Sequence[str]) -> Counter[str]:
    return Counter(word for text in texts for word in set(words_of(text)))


def _drift(aspect: str, reference: Sequence[int] | np.ndarray, current: Sequence[int] | np.ndarray, bins: int) -> Drift:
    old, new = np.bincount(reference, minlength=bins), np.bincount(current, minlength=bins)
    if not old.sum() or not new.sum():
        return Drift(aspect, float("nan"), 1.0, int(old.sum()), int(new.sum()))
    found = stability_index(old, new)
    return Drift(aspect, found, _p_value(old, new, found), int(old.sum()), int(new.sum()))


def _p_value(old: np.ndarray, new: np.ndarray, found: float) -> float:
    """Return how often a random division of all messages into two such groups moves as far."""
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric(old + new, int(new.sum()), size=PERMUTATIONS)
    moved = [stability_index(old + new - one, one) >= found - 1e-12 for one in drawn]
    return (1 + sum(moved)) / (PERMUTATIONS + 1)
