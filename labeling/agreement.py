"""How far labelers agree: by pair, by label, against their consensus, and how fast they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np

from data.ledger import LabelEvent

MISSING = -1


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators on the messages both labelled: share of equal labels, and Cohen's kappa (1 perfect, 0 chance)."""

    first: str
    second: str
    messages: int
    equal: float
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Annotator:
    """One annotator: how many labels, seconds for the middle one, and `labels given -> consensus` where they differ."""

    name: str
    labels: int
    seconds: float | None
    compared: int
    equal: float | None
    confusion: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The whole report; alpha is Krippendorff's, None where nothing was labelled twice."""

    messages: int
    twice: int
    alpha: float | None
    alpha_by_label: dict[str, float | None]
    pairs: tuple[Pair, ...]
    annotators: tuple[Annotator, ...]
    disputed: tuple[str, ...]


def measure_agreement(
    said: Sequence[LabelEvent], labels: tuple[str, ...], scores: dict[str, np.ndarray] | None = None
) -> Agreement:
    """Return the agreement of standing labels; model scores by message, if given, help the consensus (CROWDLAB)."""
    votes = [event for event in said if event.kind == "label" and event.label in labels]
    messages = list(dict.fromkeys(event.message_id for event in votes))
    names = sorted({event.annotator for event in votes})
    table = _tabulate(votes, messages, names, labels)
    twice = table[(table != MISSING).sum(axis=1) > 1]
    common = [message for message, row in zip(messages, table, strict=True) if (row != MISSING).sum() > 1]
    agreed = consensus(twice, len(labels), _stack(scores, common))
    return Agreement(
        len(messages),
        len(twice),
        alpha(twice),
        {label: alpha(np.where(twice == MISSING, MISSING, twice == place)) for place, label in enumerate(labels)},
        tuple(_compare(table, names, first, second) for first, second in combinations(range(len(names)), 2)),
        tuple(_describe(votes, twice, agreed, names, place, labels) for place in range(len(names))),
        tuple(message for message, row in zip(common, twice, strict=True) if len(set(row[row != MISSING])) > 1),
    )


def alpha(table: np.ndarray) -> float | None:
    """Return Krippendorff's alpha (nominal) of labels (messages, annotators); None where it is not defined."""
    import krippendorff

    if len(table) == 0 or len(np.unique(table[table != MISSING])) < 2:
        return None
    return float(krippendorff.alpha(np.where(table == MISSING, np.nan, table).T, level_of_measurement="nominal"))


def kappa(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Cohen's kappa of two rows of labels; None where chance alone makes them equal."""
    if len(first) == 0:
        return None
    values = np.union1d(first, second)
    expected = sum(float((first == value).mean() * (second == value).mean()) for value in values)
    return None if expected >= 1.0 else (float((first == second).mean()) - expected) / (1.0 - expected)


def consensus(table: np.ndarray, classes: int, scores: np.ndarray | None = None) -> np.ndarray:
    """Return the consensus (messages,): CROWDLAB with scores (messages, classes), else the majority."""
    from cleanlab.multiannotator import get_label_quality_multiannotator, get_majority_vote_label

    if len(table) == 0:
        return np.array([], dtype=int)
    votes = np.where(table == MISSING, np.nan, table).astype(float)
    votes = votes[:, ~np.isnan(votes).all(axis=0)]
    if scores is None or len(np.unique(table[table != MISSING])) < classes:
        # cleanlab's majority wants consecutive classes
        present, coded = np.unique(votes[~np.isnan(votes)], return_inverse=True)
        dense = votes.copy()
        dense[~np.isnan(votes)] = coded
        return present[get_majority_vote_label(dense, verbose=False)].astype(int)
    found = get_label_quality_multiannotator(votes, scores, verbose=False, return_annotator_stats=False)
    return found["label_quality"]["consensus_label"].to_numpy().astype(int)


def _tabulate(
    votes: Sequence[LabelEvent], messages: Sequence[str], names: Sequence[str], labels: tuple[str, ...]
) -> np.ndarray:
    rows, columns = {name: i for i, name in enumerate(messages)}, {name: i for i, name in enumerate(names)}
    table = np.full((len(messages), len(names)), MISSING)
    for event in votes:
        table[rows[event.message_id], columns[event.annotator]] = labels.index(event.label)
    return table


def _stack(scores: dict[str, np.ndarray] | None, messages: Sequence[str]) -> np.ndarray | None:
    if not scores or any(message not in scores for message in messages) or not messages:
        return None
    return np.stack([scores[message] for message in messages])


def _compare(table: np.ndarray, names: Sequence[str], first: int, second: int) -> Pair:
    both = (table[:, first] != MISSING) & (table[:, second] != MISSING)
    a, b = table[both, first], table[both, second]
    equal = float((a == b).mean()) if len(a) else 0.0
    return Pair(names[first], names[second], len(a), equal, kappa(a, b))


def _describe(
    votes: Sequence[LabelEvent], table: np.ndarray, agreed: np.ndarray, names: Sequence[str], place: int, labels: tuple[str, ...]
) -> Annotator:  # fmt: skip
    mine = [event for event in votes if event.annotator == names[place]]
    seconds = [event.seconds for event in mine if event.seconds is not None]
    given = table[:, place] if len(table) else np.array([], dtype=int)
    there = given != MISSING
    pairs: Counter[tuple[str, str]] = Counter(
        (labels[mine_said], labels[all_said])
        for mine_said, all_said in zip(given[there], agreed[there], strict=True)
        if mine_said != all_said
    )
    equal = float((given[there] == agreed[there]).mean()) if there.any() else None
    return Annotator(
        names[place],
        len(mine),
        median(seconds) if seconds else None,
        int(there.sum()),
        equal,
        dict(pairs.most_common()),
    )
