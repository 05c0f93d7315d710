"""Quality as numbers: arrays in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

BINS = 15
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% bootstrap interval and the number of messages behind it."""

    value: float
    low: float
    high: float
    support: int


def macro_f1(true: np.ndarray, found: np.ndarray, classes: int) -> float:
    """Return the unweighted mean of the F1 of the classes that some row has; without a row it is not a number."""
    present = np.bincount(true, minlength=classes) > 0
    return float(per_class_f1(true, found, classes)[present].mean()) if present.any() else float("nan")


def per_class_f1(true: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    """Return F1 a class (L,) from true and found class ids (N,)."""
    hits = np.bincount(true[true == found], minlength=classes)
    total = np.bincount(true, minlength=classes) + np.bincount(found, minlength=classes)
    return _ratio(2 * hits, total)


def precision_recall(true: np.ndarray, found: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return precision and recall a class (L,)."""
    hits = np.bincount(true[true == found], minlength=classes)
    return _ratio(hits, np.bincount(found, minlength=classes)), _ratio(hits, np.bincount(true, minlength=classes))


def lenient(true: np.ndarray, found: np.ndarray, defensible: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the true ids with each found id that an annotator found defensible put in place of the true one."""
    pairs = zip(true, found, defensible, strict=True)
    return np.array([one if one in others else label for label, one, others in pairs], dtype=true.dtype)


def calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error over equal-mass bins of confidence (N,) against correctness (N,)."""
    parts = np.array_split(np.argsort(confidence, kind="stable"), bins)
    gaps = [len(part) * abs(confidence[part].mean() - correct[part].mean()) for part in parts if len(part)]
    return float(sum(gaps) / max(1, len(confidence)))


def brier(scores: np.ndarray, true: np.ndarray) -> float:
    """Return the multi-class Brier score of scores (N, L) against true ids (N,): 0 is perfect, 2 the worst."""
    hot = np.eye(scores.shape[1])[true]
    return float(((scores - hot) ** 2).sum(axis=1).mean())


def coverage_at(precision: float, confidence: np.ndarray, correct: np.ndarray) -> float:
    """Return the largest share of messages, taken from the surest down, whose precision is at least `precision`."""
    order = np.argsort(-confidence, kind="stable")
    running = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(running >= precision)
    return float((enough[-1] + 1) / len(order)) if len(enough) else 0.0


def doubt_auroc(doubt: np.ndarray, outside: np.ndarray) -> float:
    """Return how well doubt (N,) ranks messages that belong nowhere (N,) above the rest; nan without both kinds."""
    out = np.asarray(outside, dtype=bool)
    positive, negative = int(out.sum()), int((~out).sum())
    if not positive or not negative:
        return float("nan")
    return float((rankdata(doubt)[out].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, 0 where the whole is empty."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
