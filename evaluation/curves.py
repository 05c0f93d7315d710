"""Curves behind the pictures: risk against coverage, reliability a bin, precision against recall a label."""

from dataclasses import dataclass

import numpy as np

from evaluation.intervals import wilson
from evaluation.metrics import BINS


@dataclass(frozen=True, slots=True)
class Bin:
    """Messages of like confidence: how sure the model was, and how often it was right with a 95% interval."""

    confidence: float
    right: float
    low: float
    high: float
    count: int


def risk_coverage(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage (N,) and the share wrong (N,) as messages are taken from the surest down."""
    order = np.argsort(-confidence, kind="stable")
    taken = np.arange(1, len(order) + 1)
    return taken / max(1, len(order)), 1.0 - np.cumsum(right[order]) / taken


def area_under_risk(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the mean risk over all coverages: 0 is perfect; not a number without messages."""
    return float(risk_coverage(confidence, right)[1].mean()) if len(right) else float("nan")


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[Bin]:
    """Return equal-mass bins of confidence, the least sure first."""
    parts = [part for part in np.array_split(np.argsort(confidence, kind="stable"), bins) if len(part)]
    return [
        Bin(float(confidence[part].mean()), float(right[part].mean()), *wilson(int(right[part].sum()), len(part)),
            len(part))
        for part in parts
    ]  # fmt: skip


def precision_recall_curve(score: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return recall (N,) and precision (N,) of one label as its score (N,) is asked ever less of."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    return hits / max(1, int(positive.sum())), hits / np.arange(1, len(order) + 1)
