"""From calibrated scores to `auto` or `review` with a reason; evaluation, batch and service decide alike by it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.clean import is_empty
from data.language import is_unsupported
from training.bundle import BundleInfo

Outcome = Literal["auto", "review"]
Reason = Literal["low_confidence", "out_of_scope", "unsupported_language", "empty"]
REASONS: tuple[Reason, ...] = ("low_confidence", "out_of_scope", "unsupported_language", "empty")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A label with its calibrated confidence, and whether to act on it; `reason` is given for `review`."""

    label: str
    confidence: float
    outcome: Outcome
    reason: Reason | None
    doubt: float


def judge(cleaned: str, scores: np.ndarray, doubt: float, info: BundleInfo) -> Judgement:
    """Return the judgement on one message from its cleaned text, its scores (L,) and its doubt."""
    best = int(scores.argmax())
    label, confidence = info.labels[best], float(scores[best])
    reason = _reason_to_review(cleaned, label, confidence, doubt, info)
    return Judgement(label, confidence, "review" if reason else "auto", reason, doubt)


def _reason_to_review(cleaned: str, label: str, confidence: float, doubt: float, info: BundleInfo) -> Reason | None:
    if is_empty(cleaned):
        return "empty"
    in_doubt = doubt >= info.thresholds.out_of_scope
    if is_unsupported(cleaned, in_doubt):
        return "unsupported_language"
    if in_doubt:
        return "out_of_scope"
    return "low_confidence" if confidence < info.thresholds.auto[label] else None
