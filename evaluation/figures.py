"""Every single-number figure of a model on one set of answers, by the name it has in the registry."""

from collections.abc import Sequence

import numpy as np

from evaluation.answers import Answers
from evaluation.metrics import (
    brier,
    calibration_error,
    coverage_at,
    doubt_auroc,
    macro_f1,
    per_class_f1,
    precision_recall,
)

PRECISION_GOAL = 0.95


def figures_of(answers: Answers, labels: Sequence[str]) -> dict[str, float]:
    """Return the figures by name; one that these answers cannot show is not a number."""
    inside = answers.inside()
    return {**_quality(inside, labels), **_confidence(answers, inside), **automation(answers, labels),
            **_by_label(inside, labels)}  # fmt: skip


def supports_of(answers: Answers, labels: Sequence[str]) -> dict[str, int]:
    """Return for each figure how many messages it is counted over."""
    inside, outside = int((~answers.is_outside).sum()), int(answers.is_outside.sum())
    counts = np.bincount(answers.inside().true, minlength=len(labels))
    calls = np.bincount(answers.inside().found, minlength=len(labels))
    spam, fraud = int(counts[labels.index("spam")]), int(counts[labels.index("fraud")])
    named = dict.fromkeys(
        ("macro_f1", "macro_f1_lenient", "accuracy", "calibration_error", "brier", "coverage_at_95"), inside
    )
    named |= {"doubt_auroc": outside, "auto_share": len(answers), "auto_precision": int(answers.auto.sum())}
    named |= {"spam_caught": spam, "spam_sink": inside - spam, "fraud_sunk": fraud}
    for position, label in enumerate(labels):
        named |= {f"{what}_{label}": int(counts[position]) for what in ("recall", "f1")}
        named[f"precision_{label}"] = int(calls[position])
    return named


def automation(answers: Answers, labels: Sequence[str]) -> dict[str, float]:
    """Return what the shipped thresholds do: how much is automatic, how much of that is right, what spam swallows."""
    spam, fraud = labels.index("spam"), labels.index("fraud")
    sunk = answers.auto & (answers.found == spam)
    is_spam = answers.true == spam
    return {
        "auto_share": share(answers.auto),
        "auto_precision": share(answers.right[answers.auto]),
        "spam_caught": share(sunk[is_spam]),
        "spam_sink": share(sunk[~is_spam & ~answers.is_outside]),
        "fraud_sunk": share(sunk[answers.true == fraud]),
    }


def share(holds: np.ndarray) -> float:
    """Return the share of true entries, not a number where there are none."""
    return float(holds.mean()) if len(holds) else float("nan")


def _quality(inside: Answers, labels: Sequence[str]) -> dict[str, float]:
    return {
        "macro_f1": macro_f1(inside.true, inside.found, len(labels)),
        "macro_f1_lenient": macro_f1(inside.forgiven, inside.found, len(labels)),
        "accuracy": share(inside.right),
    }


def _confidence(answers: Answers, inside: Answers) -> dict[str, float]:
    confidence, right = inside.confidence, inside.right.astype(float)
    return {
        "calibration_error": calibration_error(confidence, right) if len(inside) else float("nan"),
        "brier": brier(inside.scores, inside.true) if len(inside) else float("nan"),
        "coverage_at_95": coverage_at(PRECISION_GOAL, confidence, right) if len(inside) else float("nan"),
        "doubt_auroc": doubt_auroc(answers.doubt, answers.is_outside),
    }


def _by_label(inside: Answers, labels: Sequence[str]) -> dict[str, float]:
    precision, recall = precision_recall(inside.true, inside.found, len(labels))
    f1 = per_class_f1(inside.true, inside.found, len(labels))
    rows, calls = (np.bincount(one, minlength=len(labels)) for one in (inside.true, inside.found))
    values: dict[str, float] = {}
    for position, label in enumerate(labels):
        values[f"precision_{label}"] = float(precision[position]) if calls[position] else float("nan")
        values[f"recall_{label}"] = float(recall[position]) if rows[position] else float("nan")
        values[f"f1_{label}"] = float(f1[position]) if rows[position] else float("nan")
    return values
