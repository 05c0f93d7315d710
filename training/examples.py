"""What a training learns from: labelled messages with how much each counts, and what a teacher said of some."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.messages import LabelledMessage
from training.targets import soft_targets


@dataclass(frozen=True, slots=True)
class Example:
    """A message to learn from; `scores` (L) and `doubt` of a teacher stand in place of the label's own targets."""

    row: LabelledMessage
    weight: float = 1.0
    scores: tuple[float, ...] | None = None
    doubt: float = 0.0


def as_examples(rows: Sequence[LabelledMessage], weights: Sequence[float] = ()) -> list[Example]:
    """Return labelled messages as examples; without weights each counts alike."""
    return [Example(row, weight) for row, weight in zip(rows, weights or [1.0] * len(rows), strict=True)]


def targets_of(
    examples: Sequence[Example], labels: Sequence[str], second_share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return label targets (N, L), doubt targets (N,) and weights (N,) that average 1."""
    targets, doubt = soft_targets([example.row for example in examples], labels, second_share)
    for number, example in enumerate(examples):
        if example.scores is not None:
            targets[number], doubt[number] = example.scores, example.doubt
    weights = np.array([example.weight for example in examples], dtype=np.float32)
    return targets, doubt, weights / weights.mean()
