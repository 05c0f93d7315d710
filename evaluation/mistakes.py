"""Where a model goes wrong, with the messages: confused pairs, what sinks in spam, the surest mistakes."""

from dataclasses import dataclass

import numpy as np

from configs.taxonomy import NONE
from evaluation.score import Scored

SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A message whose label was not found; `defensible` where an annotator would allow what was found."""

    id: str
    text: str
    true: str
    found: str
    confidence: float
    outcome: str
    defensible: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A label taken for another: how often, its share of the true label, and the surest examples."""

    true: str
    found: str
    count: int
    share: float
    examples: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Sunk:
    """Of the messages of one true label, how many were called spam, and how many were taken out as spam alone."""

    label: str
    count: int
    called: int
    taken_out: int


def mistakes(scored: Scored) -> list[Mistake]:
    """Return every message whose label was not found, the surest first; what belongs nowhere cannot be mistaken."""
    found = []
    for row, judged in zip(scored.rows, scored.judgements, strict=True):
        if row.label not in (NONE, judged.label):
            found.append(Mistake(row.message.id, row.message.text, row.label, judged.label, judged.confidence,
                                 judged.outcome, judged.label in row.second))  # fmt: skip
    return sorted(found, key=lambda one: (-one.confidence, one.id))


def confusion(scored: Scored) -> np.ndarray:
    """Return how often each label (a row, with `none` last) was answered with each label (a column)."""
    answers = scored.answers()
    counts = np.zeros((len(scored.labels) + 1, len(scored.labels)), dtype=int)
    np.add.at(counts, (answers.true, answers.found), 1)  # OUTSIDE is -1, the last row
    return counts


def confused_pairs(scored: Scored, top: int = 8, examples: int = 3) -> list[Pair]:
    """Return the pairs most often confused, each with its surest messages."""
    wrong = mistakes(scored)
    totals = {label: sum(row.label == label for row in scored.rows) for label in scored.labels}
    grouped: dict[tuple[str, str], list[Mistake]] = {}
    for one in wrong:
        grouped.setdefault((one.true, one.found), []).append(one)
    pairs = [
        Pair(true, found, len(ones), len(ones) / totals[true], tuple(ones[:examples]))
        for (true, found), ones in grouped.items()
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, pair.true, pair.found))[:top]


def spam_sink(scored: Scored) -> list[Sunk]:
    """Return for each true label but spam how much of it spam swallows, the most swallowed share first."""
    rows = []
    for label in (*(one for one in scored.labels if one != SPAM), NONE):
        judged = [judged for row, judged in zip(scored.rows, scored.judgements, strict=True) if row.label == label]
        called = [one for one in judged if one.label == SPAM]
        rows.append(Sunk(label, len(judged), len(called), sum(one.outcome == "auto" for one in called)))
    return sorted(rows, key=lambda one: -one.called / max(1, one.count))


def arguable(scored: Scored) -> tuple[int, int]:
    """Return how many messages have a second defensible label, and how many mistakes fall on such a label."""
    return sum(bool(row.second) for row in scored.rows), sum(one.defensible for one in mistakes(scored))
