"""Labels that look wrong become review tasks: disputed by a cross-validated model, or by routers' feedback."""

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.clean import clean
from data.ledger import Ledger, Selection
from flows.embedding import embed_texts
from labeling.standing import standing
from labeling.suspects import find_conflicts, find_suspects

_FOLDS = 5
_TRUSTED_BY = frozenset({"labeler", "import"})


@dataclass(frozen=True, slots=True)
class Doubt:
    """One doubted label, and what speaks against it."""

    message_id: str
    text: str
    label: str
    strategy: str
    reason: str


def find_doubts(ledger: Ledger, limit: int) -> list[Doubt]:
    """Return up to `limit` doubted labels not yet settled by a review: conflicts first, then the worst suspects."""
    rows, doubts = _open(ledger)
    known = {doubt.message_id for doubt in doubts}
    if not _is_enough(rows) and not doubts:
        raise SwitchboardError(
            f"too few labels to find suspects among: at least two labels need {_FOLDS} messages each, "
            f"there are {len(rows)} labelled messages in all; label more first"
        )
    disputed = _disputed(rows) if _is_enough(rows) else []
    return [*doubts, *(doubt for doubt in disputed if doubt.message_id not in known)][:limit]


def review_contradictions(ledger: Ledger) -> int:
    """Choose for a second look every label that feedback contradicts and nobody looked at since; return how many."""
    _, doubts = _open(ledger)
    if doubts:
        select_for_review(ledger, doubts)
    return len(doubts)


def _open(ledger: Ledger) -> tuple[list[tuple[str, str, str]], list[Doubt]]:
    """Return the labels (message id, text, label) that no review settled or waits for, and what feedback contradicts."""
    stored = list(ledger.events.all())
    said = [event for event in standing(stored, _TRUSTED_BY) if event.kind == "label"]
    reviewed = {item.event.message_id for item in stored if item.event.origin == "review"}
    waiting = {item.message_id for item in ledger.selections.all() if item.strategy in {"suspect", "conflict"}}
    latest = {event.message_id: event for event in said if event.message_id not in reviewed | waiting}
    texts = {key: found.message.text for key, found in ledger.messages.get(latest).items()}
    conflicts = find_conflicts(latest.values(), standing(stored, frozenset({"feedback"})))
    rows = [(key, texts[key], latest[key].label) for key in latest if key in texts]
    return rows, [
        Doubt(key, texts[key], latest[key].label, "conflict", reason)
        for key, reason in conflicts.items()
        if key in texts
    ]


def select_for_review(ledger: Ledger, doubts: list[Doubt]) -> str:
    """Record the doubts as a batch for `label push`, blind, so that the second look is not led; return the batch."""
    now = datetime.now(UTC)
    batch = f"b-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    ledger.selections.append(
        Selection(message_id=one.message_id, batch=batch, strategy=one.strategy, reason=one.reason, blind=True, at=now)
        for one in doubts
    )
    return batch


def out_of_fold(texts: list[str], labels: np.ndarray, classes: int) -> np.ndarray:
    """Return probabilities (N, classes) for each text by two models that did not see it, averaged: words and sense."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=13)
    full = np.zeros((len(texts), classes))
    for features in (make_union(words, letters).fit_transform(texts), embed_texts(texts)):
        model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000)
        found = np.asarray(cross_val_predict(model, features, labels, cv=folds, method="predict_proba"))
        full[:, np.unique(labels)] += found / 2
    return full


def _frequent(rows: list[tuple[str, str, str]]) -> list[str]:
    """Return the labels that have a message for every fold."""
    counts = Counter(label for _, _, label in rows)
    return [label for label in load_taxonomy().annotation_values if counts[label] >= _FOLDS]


def _is_enough(rows: list[tuple[str, str, str]]) -> bool:
    return len(_frequent(rows)) >= 2


def _disputed(rows: list[tuple[str, str, str]]) -> list[Doubt]:
    frequent = _frequent(rows)
    usable = [row for row in rows if row[2] in frequent]
    coded = np.array([frequent.index(label) for _, _, label in usable])
    probabilities = out_of_fold([clean(text) for _, text, _ in usable], coded, len(frequent))
    return [
        Doubt(
            *usable[one.row], "suspect",
            f"a model that never saw it says {frequent[one.instead]} (label's own score {one.quality:.2f})",
        )
        for one in find_suspects(coded, probabilities)
    ]  # fmt: skip
