"""What the network is taught of each message, as arrays."""

from collections.abc import Sequence

import numpy as np

from configs.taxonomy import NONE
from data.messages import LabelledMessage


def soft_targets(
    rows: Sequence[LabelledMessage], labels: Sequence[str], second_share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return label targets (N, L) and doubt targets (N,); rows labelled `none` get zeros and a doubt of 1.

    `second_share` is the mass that other defensible labels share; one that is `none` gives that much doubt.
    """
    index = {label: position for position, label in enumerate(labels)}
    targets = np.zeros((len(rows), len(labels)), dtype=np.float32)
    doubt = np.zeros(len(rows), dtype=np.float32)
    for number, row in enumerate(rows):
        if row.label == NONE:
            doubt[number] = 1.0
            continue
        others = [index[name] for name in row.second if name in index]
        targets[number, others] = second_share / max(1, len(others))
        targets[number, index[row.label]] += 1.0 - (second_share if others else 0.0)
        doubt[number] = second_share if NONE in row.second else 0.0
    return targets, doubt


def class_weights(targets: np.ndarray, scheme: str) -> np.ndarray:
    """Return one weight a label (L,) from its share of the targets, averaging 1 over the messages."""
    counts = np.maximum(targets.sum(axis=0), 1.0)
    power = {"none": 0.0, "sqrt": 0.5, "inverse": 1.0}[scheme]
    weights = counts**-power
    return (weights * counts.sum() / (weights * counts).sum()).astype(np.float32)
