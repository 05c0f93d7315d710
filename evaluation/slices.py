"""Quality in parts of the test rows: by channel, source, length, industry, language, each with counts and intervals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.language import is_unsupported
from data.messages import LabelledMessage
from evaluation.answers import Answers
from evaluation.intervals import wilson
from evaluation.metrics import per_class_f1

MIN_ROWS = 10  # a smaller slice says nothing and is put under "other"
OTHER = "other"
LENGTHS = ((0, "under 40 characters"), (40, "40 to 99"), (100, "100 to 199"), (200, "200 and more"))


@dataclass(frozen=True, slots=True)
class Slice:
    """The messages that share a value of a facet; the share right has a Wilson interval."""

    facet: str
    value: str
    count: int
    right: float
    low: float
    high: float
    macro_f1: float
    doubted: float


def facets_of(rows: Sequence[LabelledMessage], industries: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Return the value of every facet for each row; `industries` gives them by message id where they are known."""
    named = {
        "channel": [row.message.channel for row in rows],
        "source": [row.message.source for row in rows],
        "length": [length_of(row.message.text) for row in rows],
        "industry": [(industries or {}).get(row.message.id, "") for row in rows],
        "language": ["not English" if is_unsupported(row.message.text) else "English" for row in rows],
    }
    return {facet: values for facet, values in named.items() if len(set(values)) > 1}


def length_of(text: str) -> str:
    """Return the name of a text's length."""
    return next(name for start, name in reversed(LENGTHS) if len(text) >= start)


def slices(answers: Answers, facets: Mapping[str, Sequence[str]], labels: Sequence[str]) -> list[Slice]:
    """Return a slice for each value of each facet, the largest first; rare values are taken together."""
    found = []
    for facet, values in facets.items():
        kept = _rare_together(values)
        for value in sorted(set(kept), key=lambda one: (-kept.count(one), one)):
            found.append(_slice(facet, value, answers.at(np.array([one == value for one in kept])), labels))
    return found


def _slice(facet: str, value: str, part: Answers, labels: Sequence[str]) -> Slice:
    inside = part.inside()
    hits, count = int(inside.right.sum()), len(inside)
    low, high = wilson(hits, count)
    present = np.bincount(inside.true, minlength=len(labels)) > 0
    f1 = per_class_f1(inside.true, inside.found, len(labels))[present]
    right = hits / count if count else float("nan")
    return Slice(facet, value or "not given", len(part), right, low, high,
                 float(f1.mean()) if len(f1) else float("nan"), float(part.doubt.mean()))  # fmt: skip


def _rare_together(values: Sequence[str]) -> list[str]:
    counts = Counter(values)
    if sum(count < MIN_ROWS for count in counts.values()) < 2:
        return list(values)
    return [value if counts[value] >= MIN_ROWS else OTHER for value in values]
