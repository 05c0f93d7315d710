"""Scoring a predictor on labelled messages: the figures that a version is compared by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from configs.taxonomy import NONE
from data.clean import clean
from data.messages import LabelledMessage
from evaluation.metrics import (
    Estimate,
    bootstrap,
    brier,
    calibration_error,
    coverage_at,
    doubt_auroc,
    lenient,
    macro_f1,
    per_class_f1,
    precision_recall,
)  # fmt: skip
from training.policy import Judgement, judge
from training.predictor import Predictions, Predictor

PRECISION_GOAL = 0.95


@dataclass(frozen=True, slots=True)
class Scored:
    """A predictor's answers on labelled messages, kept together for every figure that is asked of them."""

    rows: Sequence[LabelledMessage]
    labels: tuple[str, ...]
    predictions: Predictions
    judgements: Sequence[Judgement]

    @property
    def inside(self) -> np.ndarray:
        """Positions of the messages that have one of the eight labels."""
        return np.flatnonzero([row.label != NONE for row in self.rows])

    def true_ids(self) -> np.ndarray:
        """Class ids of the messages inside, in order."""
        return np.array([self.labels.index(self.rows[i].label) for i in self.inside])

    def found_ids(self) -> np.ndarray:
        """Class ids found for the messages inside, in order."""
        return self.predictions.scores[self.inside].argmax(axis=1)


def score(predictor: Predictor, rows: Sequence[LabelledMessage]) -> Scored:
    """Return the predictor's answers on the rows."""
    cleaned = [clean(row.message.text, predictor.company) for row in rows]
    found = predictor.predict_cleaned(cleaned)
    answers = zip(cleaned, found.scores, found.doubt, strict=True)
    judgements = [judge(text, scores, float(doubt), predictor.info) for text, scores, doubt in answers]
    return Scored(rows, predictor.info.labels, found, judgements)


def headline(scored: Scored) -> dict[str, Estimate]:
    """Return macro-F1, strict and lenient, and each label's F1, with intervals."""
    true, found, count = scored.true_ids(), scored.found_ids(), len(scored.labels)
    forgiving = lenient(true, found, _defensible(scored))
    figures = {
        "macro_f1": bootstrap(lambda at: macro_f1(true[at], found[at], count), len(true)),
        "macro_f1_lenient": bootstrap(lambda at: macro_f1(forgiving[at], found[at], count), len(true)),
    }
    support = np.bincount(true, minlength=count)
    for position, label in enumerate(scored.labels):
        one = bootstrap(lambda at, p=position: float(per_class_f1(true[at], found[at], count)[p]), len(true))
        figures[f"f1_{label}"] = Estimate(one.value, one.low, one.high, int(support[position]))
    return figures


def figures(scored: Scored) -> dict[str, float]:
    """Return every single-number figure of a version, by the name it has in the registry."""
    true, found, count = scored.true_ids(), scored.found_ids(), len(scored.labels)
    scores = scored.predictions.scores[scored.inside]
    confidence, correct = scores.max(axis=1), (true == found).astype(float)
    precision, recall = precision_recall(true, found, count)
    outside = np.array([row.label == NONE for row in scored.rows], dtype=float)
    values = {
        "macro_f1": macro_f1(true, found, count),
        "macro_f1_lenient": macro_f1(lenient(true, found, _defensible(scored)), found, count),
        "accuracy": float(correct.mean()),
        "calibration_error": calibration_error(confidence, correct),
        "brier": brier(scores, true),
        "coverage_at_95": coverage_at(PRECISION_GOAL, confidence, correct),
        "doubt_auroc": doubt_auroc(scored.predictions.doubt, outside),
        **_automation(scored),
    }
    for position, label in enumerate(scored.labels):
        values |= {f"precision_{label}": float(precision[position]), f"recall_{label}": float(recall[position])}
        values[f"f1_{label}"] = float(per_class_f1(true, found, count)[position])
    return values


def _automation(scored: Scored) -> dict[str, float]:
    """Return what the shipped thresholds do: how much is automatic, how much of that is right, what spam swallows."""
    auto = np.array([one.outcome == "auto" for one in scored.judgements])
    label = np.array([row.label for row in scored.rows])
    called = np.array([one.label for one in scored.judgements])
    genuine, spam = (label != "spam") & (label != NONE), label == "spam"
    sunk = auto & (called == "spam")
    fraud = label == "fraud"
    return {
        "auto_share": float(auto.mean()),
        "auto_precision": float((label == called)[auto].mean()) if auto.any() else float("nan"),
        "spam_caught": float(sunk[spam].mean()) if spam.any() else float("nan"),
        "spam_sink": float(sunk[genuine].mean()) if genuine.any() else float("nan"),
        "fraud_sunk": float(sunk[fraud].mean()) if fraud.any() else float("nan"),
    }


def _defensible(scored: Scored) -> list[list[int]]:
    index = {label: position for position, label in enumerate(scored.labels)}
    return [[index[name] for name in scored.rows[i].second if name in index] for i in scored.inside]
