"""What lies behind a model's figures, as plain values for machines: parts, pairs, what sinks, risk, what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evaluation.curves import risk_coverage
from evaluation.learning_curve import Point, fitted_curve
from evaluation.metrics import Estimate
from evaluation.mistakes import confused_pairs, spam_sink
from evaluation.next_steps import advise
from evaluation.score import Scored
from evaluation.slices import facets_of, slices

_COVERAGES = tuple(percent / 100 for percent in range(5, 101, 5))


def details(
    scored: Scored, named: Mapping[str, Estimate], industries: Mapping[str, str],
    fitted: Mapping[str, int] | None = None, learning: Sequence[Point] = (),
) -> dict[str, Any]:  # fmt: skip
    """Return by name: `slices`, `confused_pairs` with messages, `spam_sink_by_label`, `risk_coverage`, `next_steps`.

    `named` are the figures with intervals, `industries` gives a message's by id where it is known; `fitted` counts training
    rows a label, and `learning` are points of the learning curve. What no message shows is not a number.
    """
    answers = scored.answers()
    return {
        "slices": [asdict(one) for one in slices(answers, facets_of(scored.rows, industries), scored.labels)],
        "confused_pairs": [asdict(one) for one in confused_pairs(scored)],
        "spam_sink_by_label": [asdict(one) for one in spam_sink(scored)],
        "risk_coverage": _risk(scored),
        "next_steps": list(advise(scored, named, fitted, *fitted_curve(learning)).lines),
    }


def _risk(scored: Scored) -> list[dict[str, float]]:
    """Return the share wrong among the surest messages, at every twentieth of coverage."""
    inside = scored.answers().inside()
    if not len(inside):
        return []
    _, risk = risk_coverage(inside.confidence, inside.right)
    return [{"coverage": one, "risk": float(risk[int(np.ceil(one * len(risk))) - 1])} for one in _COVERAGES]
