"""Scored predictions made of a few numbers, for tests that need no model."""

from collections.abc import Sequence

import numpy as np

from configs.taxonomy import load_taxonomy
from data.messages import LabelledMessage, Message
from evaluation.score import Scored
from training.policy import Judgement
from training.predictor import Predictions

LABELS = load_taxonomy().labels


def make_scored(
    true: Sequence[str],
    found: Sequence[str],
    confidence: Sequence[float] | float = 0.9,
    auto: Sequence[bool] | bool = True,
    doubt: Sequence[float] | float = 0.1,
    second: Sequence[tuple[str, ...]] | None = None,
    source: str = "seed",
) -> Scored:
    """Return answers in which each found label has the confidence given and the others share the rest."""
    count = len(true)
    sure = np.broadcast_to(np.asarray(confidence, dtype=float), count)
    acts, doubts = np.broadcast_to(auto, count), np.broadcast_to(np.asarray(doubt, dtype=float), count)
    scores = np.repeat((1 - sure)[:, None] / (len(LABELS) - 1), len(LABELS), axis=1)
    scores[np.arange(count), [LABELS.index(name) for name in found]] = sure
    rows = [
        LabelledMessage(Message(f"text {i}", f"t-{i}", "twitter", source=source), label, second[i] if second else ())
        for i, label in enumerate(true)
    ]
    judgements = [
        Judgement(name, float(one), "auto" if act else "review", None if act else "low_confidence", float(unsure))
        for name, one, act, unsure in zip(found, sure, acts, doubts, strict=True)
    ]
    return Scored(rows, LABELS, Predictions(scores, doubts.copy()), judgements)
