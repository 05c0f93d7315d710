"""Themes in a stream's texts, and which of them rise: non-negative matrix factorisation of TF-IDF (scikit-learn)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from evaluation.departures import LEAST, SURE, move_of

_TEXTS_A_THEME, _MOST_THEMES = 40, 24
_TERMS, _EXAMPLES = 4, 3
_LIKE = 0.2  # cosine of a text and a theme below which it is of none
_WORD = r"(?u)\b[a-z][a-z'-]{2,}\b"
_CHATTER = {"just", "got", "get", "don't", "i'm", "i've", "it's", "can't", "you're", "that's", "please", "thanks"}


@dataclass(frozen=True, slots=True)
class Theme:
    """What some messages share: its strongest terms, how many there are, their share now and before, examples."""

    terms: tuple[str, ...]
    count: int
    now: float
    before: float
    segments: tuple[tuple[str, int], ...]
    examples: tuple[str, ...]


def rising_themes(reference: Sequence[str], current: Sequence[str], labels: Sequence[str], top: int = 6) -> list[Theme]:
    """Return the themes of the current texts that hold more of them than of the reference, beyond chance (z > 3).

    Each text belongs to the theme it is likest to, or to none; `labels` are the segments of the current texts.
    """
    most = min(_MOST_THEMES, len(current) // _TEXTS_A_THEME)
    if most < 2 or not reference:
        return []
    words = TfidfVectorizer(
        token_pattern=_WORD, stop_words=sorted(ENGLISH_STOP_WORDS | _CHATTER), min_df=LEAST // 2,
        max_df=0.5, sublinear_tf=True,
    )  # fmt: skip
    try:
        now = words.fit_transform(current)
    except ValueError:  # no word that enough messages hold
        return []
    model = NMF(n_components=min(most, now.shape[1]), init="nndsvda", random_state=0, max_iter=300, tol=1e-3)  # pyright: ignore
    model.fit(now)
    components = model.components_ / np.linalg.norm(model.components_, axis=1, keepdims=True).clip(min=1e-12)
    strengths = np.asarray(now @ components.T)
    here, there = _likest(strengths), _likest(np.asarray(words.transform(reference) @ components.T))
    names = words.get_feature_names_out()
    found = []
    for theme in range(len(components)):
        move = move_of("", there == theme, here == theme)
        if move.z > SURE and move.count >= LEAST:
            own = np.flatnonzero(here == theme)
            own = own[np.argsort(-strengths[own, theme], kind="stable")]
            mine: list[int] = own.tolist()
            typical = [at for at in mine if strengths[at, theme] >= strengths[mine[0], theme] / 2]
            segments = Counter(labels[at] for at in mine).most_common(3)
            found.append((-move.z, Theme(_terms(components[theme], names), move.count, move.now, move.before,
                                         tuple(segments), _unlike([current[at] for at in typical]))))  # fmt: skip
    return [theme for _, theme in sorted(found, key=lambda one: (one[0], one[1].terms))[:top]]


def _likest(likeness: np.ndarray) -> np.ndarray:
    """Return the theme (N,) that each text is likest to (cosine), -1 where it is like none."""
    return np.where(likeness.max(axis=1) >= _LIKE, likeness.argmax(axis=1), -1)


def _terms(weights: np.ndarray, names: np.ndarray) -> tuple[str, ...]:
    """Return the strongest terms."""
    return tuple(str(names[place]) for place in np.argsort(-weights, kind="stable")[:_TERMS] if weights[place] > 0)


def _unlike(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the first texts that do not begin alike."""
    first = {" ".join(text.lower().split()[:4]): text for text in reversed(texts)}
    return tuple(sorted(first.values(), key=list(texts).index)[:_EXAMPLES])
