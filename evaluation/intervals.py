"""Intervals of every figure at once, and of the differences between two models on the same messages.

Both models are resampled at the same positions, so what is hard for both cancels out of the difference.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.answers import Answers
from evaluation.figures import figures_of, supports_of
from evaluation.metrics import RESAMPLES, Estimate

TAIL = 2.5  # percent left out on each side of a 95% interval
_GROWS = {"calibration_error"}  # a mean of absolute gaps, and drawing messages twice widens every gap


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure before and after on the same messages; `low` and `high` bound after - before (95%, paired)."""

    before: float
    after: float
    low: float
    high: float
    support: int

    @property
    def change(self) -> float:
        """What was gained, or lost where it is negative."""
        return self.after - self.before

    @property
    def certain(self) -> bool:
        """Whether the change is beyond what resampling explains."""
        return self.low > 0 or self.high < 0


def intervals(answers: Answers, labels: Sequence[str], resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return every figure with its 95% percentile interval, moved back by the bias of resampling where there is one."""
    values, supports = figures_of(answers, labels), supports_of(answers, labels)
    drawn = [list(figures_of(answers.at(at), labels).values()) for at in _draws(len(answers), resamples)]
    low, high = _bounds(drawn)
    for number, (name, value) in enumerate(values.items()):
        if name in _GROWS and drawn:
            bias = np.median([one[number] for one in drawn]) - value
            low[number], high[number] = max(0.0, low[number] - bias), high[number] - bias
    return {name: Estimate(value, float(low[i]), float(high[i]), supports[name])
            for i, (name, value) in enumerate(values.items())}  # fmt: skip


def differences(
    before: Answers, after: Answers, labels: Sequence[str], resamples: int = RESAMPLES,
    tails: Mapping[str, float] | None = None,
) -> dict[str, Difference]:  # fmt: skip
    """Return every figure of two models on the same messages, in the same order, with the interval of the change.

    `tails` gives figures another percentage to leave out on each side than that of a 95% interval.
    """
    if len(before) != len(after) or not np.array_equal(before.true, after.true):
        raise ValueError("the two models must be scored on the same messages in the same order")
    first, second = figures_of(before, labels), figures_of(after, labels)
    supports = supports_of(after, labels)
    drawn = [_change(before.at(at), after.at(at), labels) for at in _draws(len(before), resamples)]
    low, high = _bounds(drawn, [(tails or {}).get(name, TAIL) for name in first])
    return {name: Difference(value, second[name], float(low[i]), float(high[i]), supports[name])
            for i, (name, value) in enumerate(first.items())}  # fmt: skip


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95% Wilson interval of a share, which stays sensible for few messages and for 0 or all hits."""
    if not count:
        return float("nan"), float("nan")
    z, share = 1.959964, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _draws(count: int, resamples: int, seed: int = 0) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for _ in range(resamples if count else 0):
        yield rng.integers(0, count, count)


def _change(before: Answers, after: Answers, labels: Sequence[str]) -> list[float]:
    first, second = figures_of(before, labels), figures_of(after, labels)
    return [second[name] - value for name, value in first.items()]


def _bounds(drawn: Sequence[Sequence[float]], tails: Sequence[float] = ()) -> tuple[np.ndarray, np.ndarray]:
    if not drawn:
        return np.full(1000, np.nan), np.full(1000, np.nan)
    columns = np.array(drawn).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a figure that no resample can show stays not a number
        if not tails:
            low, high = np.nanpercentile(columns, (TAIL, 100 - TAIL), axis=1)
            return low, high
        both = [np.nanpercentile(column, (tail, 100 - tail)) for column, tail in zip(columns, tails, strict=True)]
    return np.array(both)[:, 0], np.array(both)[:, 1]
