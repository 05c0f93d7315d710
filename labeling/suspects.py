"""Labels that look wrong: disputed by a model that never saw them, or by a router or agent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from data.ledger import LabelEvent


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label is doubted: by how much (0: surely wrong, 1: surely right), and what is thought instead."""

    row: int
    quality: float
    instead: int


def find_suspects(labels: np.ndarray, probabilities: np.ndarray) -> list[Suspect]:
    """Return the rows that the model calls something else, the least believed label first.

    labels (N,): in 0..L-1. probabilities (N, L): out-of-fold, so that no row was judged by a model that learnt it.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    rows = find_label_issues(
        labels, probabilities, filter_by="predicted_neq_given", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    quality = get_label_quality_scores(labels, probabilities)
    return [Suspect(int(row), float(quality[row]), int(probabilities[row].argmax())) for row in rows]


def find_conflicts(people: Iterable[LabelEvent], feedback: Sequence[LabelEvent]) -> dict[str, str]:
    """Return, by message, how a router's or agent's feedback contradicts what labelers said of it."""
    said: dict[str, LabelEvent] = {event.message_id: event for event in people if event.kind == "label"}
    return {
        event.message_id: f"feedback says {event.label}, labelers say {said[event.message_id].label}"
        for event in feedback
        if event.kind == "label"
        and event.message_id in said
        and event.label not in (said[event.message_id].label, *said[event.message_id].second)
    }
