"""What more labels would bring: an inverse power law through points of a learning curve."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit

LEAST_POINTS = 3
BATCH, WORTH = 500, 0.005  # half a point of macro-F1 is worth labelling 500 messages


@dataclass(frozen=True, slots=True)
class Point:
    """Quality reached with so many labelled messages."""

    rows: int
    quality: float


@dataclass(frozen=True, slots=True)
class Curve:
    """quality = ceiling - scale * rows ** -rate."""

    ceiling: float
    scale: float
    rate: float

    def at(self, rows: float) -> float:
        """Return the quality expected with so many messages."""
        return self.ceiling - self.scale * float(rows) ** -self.rate

    def gain(self, rows: int, more: int) -> float:
        """Return what so many more messages are expected to bring."""
        return self.at(rows + more) - self.at(rows)

    def worth_asking(self, rows: int, batch: int = BATCH, most: int = 20_000) -> int:
        """Return how many more labels to ask for, batch by batch, until another would bring less than WORTH."""
        asked = 0
        while asked < most and self.gain(rows + asked, batch) >= WORTH:
            asked += batch
        return asked


def fit_curve(points: Sequence[Point]) -> Curve | None:
    """Return the curve through the points, or None where they are too few or do not rise."""
    rows = np.array([point.rows for point in points], dtype=float)
    quality = np.array([point.quality for point in points], dtype=float)
    if len(set(rows)) < LEAST_POINTS or (rows <= 0).any() or np.ptp(quality) == 0:
        return None
    if np.corrcoef(np.log(rows), quality)[0, 1] <= 0:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # three points determine the curve, not its uncertainty
            found = _fit(rows, quality)
    except (RuntimeError, ValueError):
        return None
    return Curve(*map(float, found))


def fitted_curve(points: Sequence[Point]) -> tuple[Curve | None, int]:
    """Return the curve through the points, if there is one, and the most rows that any of them has."""
    return fit_curve(points), max((point.rows for point in points), default=0)


def _fit(rows: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """Return ceiling, scale and rate of least squares."""
    found, _ = curve_fit(
        lambda at, ceiling, scale, rate: ceiling - scale * at**-rate,
        rows, quality, p0=(min(1.0, quality.max() + 0.05), 1.0, 0.5),
        bounds=([quality.max(), 0.0, 0.05], [1.0, 50.0, 2.0]), maxfev=20_000,
    )  # fmt: skip
    return found
