"""Scoring a predictor on labelled messages: its answers, kept together for every figure that is asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from configs.taxonomy import NONE
from data.clean import clean
from data.messages import LabelledMessage
from evaluation.answers import OUTSIDE, Answers
from evaluation.figures import figures_of
from evaluation.intervals import intervals
from evaluation.metrics import Estimate, lenient
from training.policy import Judgement, judge
from training.predictor import Predictions, Predictor


@dataclass(frozen=True, slots=True)
class Scored:
    """A predictor's answers on labelled messages."""

    rows: Sequence[LabelledMessage]
    labels: tuple[str, ...]
    predictions: Predictions
    judgements: Sequence[Judgement]

    @property
    def inside(self) -> np.ndarray:
        """Positions of the messages that have one of the eight labels."""
        return np.flatnonzero([row.label != NONE for row in self.rows])

    def answers(self) -> Answers:
        """Return the answers on all messages as arrays."""
        index = {label: position for position, label in enumerate(self.labels)}
        true = np.array([index.get(row.label, OUTSIDE) for row in self.rows], dtype=int)
        found = self.predictions.scores.argmax(axis=1)
        defensible = [[index[name] for name in row.second if name in index] for row in self.rows]
        auto = np.array([one.outcome == "auto" for one in self.judgements], dtype=bool)
        forgiven = lenient(true, found, defensible) if len(true) else true
        return Answers(true, found, forgiven, self.predictions.scores, self.predictions.doubt, auto)


def score(predictor: Predictor, rows: Sequence[LabelledMessage]) -> Scored:
    """Return the predictor's answers on the rows."""
    cleaned = [clean(row.message.text, predictor.company) for row in rows]
    found = predictor.predict_cleaned(cleaned)
    answers = zip(cleaned, found.scores, found.doubt, strict=True)
    judgements = [judge(text, scores, float(doubt), predictor.info) for text, scores, doubt in answers]
    return Scored(rows, predictor.info.labels, found, judgements)


def headline(scored: Scored) -> dict[str, Estimate]:
    """Return macro-F1, strict and lenient, and each label's F1, with intervals."""
    named = intervals(scored.answers(), scored.labels)
    wanted = ("macro_f1", "macro_f1_lenient", *(f"f1_{label}" for label in scored.labels))
    return {name: named[name] for name in wanted}


def figures(scored: Scored) -> dict[str, float]:
    """Return every single-number figure of a version, by the name it has in the registry."""
    return figures_of(scored.answers(), scored.labels)
