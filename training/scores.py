"""From a network's logits to scores and doubt by a calibration: one formula for learning, judging and serving."""

import numpy as np

from training.bundle import Calibration


def scores_of(logits: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Return calibrated scores (N, L), each row summing to 1."""
    scaled = logits / calibration.temperature + np.array(calibration.bias or (0.0,) * logits.shape[1])
    exponents = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def doubt_of(doubt_logits: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Return how likely each message belongs nowhere, (N,)."""
    shifted = calibration.doubt_scale * doubt_logits + calibration.doubt_shift
    return 1.0 / (1.0 + np.exp(-np.clip(shifted, -50, 50)))
