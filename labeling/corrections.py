"""How often people override the model, and how right it is on live messages: both from the ledger alone."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from configs.taxonomy import NONE
from data.ledger import LabelEvent, Selection

BANDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
Z = 1.959964  # two-sided 95%


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its Wilson interval (95%)."""

    hits: float
    of: float
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Corrections:
    """Shares of predictions that people overrode; `by` is label, band, model or annotator."""

    all: Share
    by: dict[str, dict[str, Share]]


@dataclass(frozen=True, slots=True)
class LiveAccuracy:
    """The model on blind random messages: `accuracy` over those labelled, `worst` with every skip as a mistake."""

    drawn: int
    labelled: int
    skipped: int
    waiting: int
    accuracy: Share
    worst: Share


def measure_corrections(said: Iterable[LabelEvent]) -> Corrections:
    """Return how often the label differs from what the model had said, compared by value."""
    judged = [event for event in said if event.kind == "label" and event.model_label]
    views: dict[str, Callable[[LabelEvent], str]] = {
        "label": lambda event: event.model_label,
        "band": lambda event: _band(event.model_confidence),
        "model": lambda event: event.model_version or "unknown",
        "annotator": lambda event: event.annotator,
    }
    return Corrections(_overridden(judged), {name: _grouped(judged, view) for name, view in views.items()})


def split_blind(
    said: Iterable[LabelEvent], chosen: Mapping[str, Sequence[Selection]]
) -> tuple[list[LabelEvent], list[LabelEvent]]:
    """Return the events whose labeler saw the prediction, and those whose labeler did not."""
    shown: list[LabelEvent] = []
    blind: list[LabelEvent] = []
    for event in said:
        selection = _selection_of(event, chosen)
        (blind if selection is not None and selection.blind else shown).append(event)
    return shown, blind


def estimate_live_accuracy(
    said: Iterable[LabelEvent], chosen: Mapping[str, Sequence[Selection]]
) -> LiveAccuracy:  # fmt: skip
    """Return the model's accuracy on everything decided, from the rows drawn evenly and labelled blind.

    Each row counts by the inverse of its probability of being drawn (Hajek); one label a message, the last one said.
    """
    drawn = {
        message: item for message, items in chosen.items() for item in items if item.strategy == "random" and item.blind
    }
    last: dict[str, LabelEvent] = {}
    for event in said:
        ours = event.message_id in drawn and _selection_of(event, chosen) == drawn[event.message_id]
        if ours and (event.kind == "label" or event.message_id not in last):
            last[event.message_id] = event
    labelled = {message: event for message, event in last.items() if event.kind == "label" and event.model_label}
    skipped = [message for message, event in last.items() if event.kind == "skip"]
    weights = {message: 1.0 / (drawn[message].probability or 1.0) for message in last}
    right = [weights[message] for message, event in labelled.items() if _is_right(event)]
    accuracy = _weighted(right, [weights[message] for message in labelled])
    worst = _weighted(right, [weights[message] for message in [*labelled, *skipped]])
    return LiveAccuracy(len(drawn), len(labelled), len(skipped), len(drawn) - len(last), accuracy, worst)


def wilson(hits: float, of: float) -> Share:
    """Return a share with its Wilson interval."""
    if of <= 0:
        return Share(hits, of, None, 0.0, 1.0)
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return Share(hits, of, share, max(0.0, middle - half), min(1.0, middle + half))


def _weighted(right: Sequence[float], all_: Sequence[float]) -> Share:
    """Return a weighted share whose interval is that of the effective number of rows."""
    total = sum(all_)
    if not total:
        return wilson(0, 0)
    effective = total * total / sum(weight * weight for weight in all_)
    return wilson(sum(right) / total * effective, effective)


def _is_right(event: LabelEvent) -> bool:
    return event.label != NONE and event.label == event.model_label


def _selection_of(event: LabelEvent, chosen: Mapping[str, Sequence[Selection]]) -> Selection | None:
    """Return the choice that led to a label: that of its batch, or the last one before it where no batch is known."""
    if event.batch:
        return next((item for item in chosen.get(event.message_id, ()) if item.batch == event.batch), None)
    earlier = [item for item in chosen.get(event.message_id, ()) if item.at <= event.at]
    return earlier[-1] if earlier else None


def _overridden(events: Sequence[LabelEvent]) -> Share:
    return wilson(sum(event.label != event.model_label for event in events), len(events))


def _grouped(events: Sequence[LabelEvent], view: Callable[[LabelEvent], str]) -> dict[str, Share]:
    groups: dict[str, list[LabelEvent]] = {}
    for event in events:
        groups.setdefault(view(event), []).append(event)
    return {name: _overridden(group) for name, group in sorted(groups.items())}


def _band(confidence: float | None) -> str:
    if confidence is None:
        return "unknown"
    low, high = next((low, high) for low, high in pairwise(BANDS) if confidence < high or high == 1.0)
    return f"{low:.2f}-{high:.2f}"
