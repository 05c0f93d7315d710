"""In what a stream departs from its reference: shares that moved, distributions that drifted, and what to say of it.

A permutation or proportion test says whether chance explains a move, its size whether anybody should be woken: a large
stream moves beyond chance every day, a small one looks far off by chance alone, so an alert needs both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.drift import Drift, category_drift, known_share, number_drift, vocabulary_of
from evaluation.intervals import wilson
from evaluation.stream import Stream

SURE = 3.0  # standard errors: chance moves one of ten shares so far about once in forty comparisons
TIMES, POINTS, LEAST = 1.5, 0.1, 10  # an alert: half as much again (or a third less), or ten points; ten messages


@dataclass(frozen=True, slots=True)
class Move:
    """A share now and before; `low` and `high` bound the change (95%, Newcombe); `z` is in standard errors."""

    name: str
    count: int
    now: float
    before: float
    low: float
    high: float
    z: float

    @property
    def alert(self) -> bool:
        """Whether the share moved beyond chance and far."""
        if abs(self.z) < SURE or (self.count < LEAST and self.now > self.before):
            return False
        more, less = max(self.now, self.before), min(self.now, self.before)
        return more >= TIMES * less or more - less >= POINTS

    @property
    def says(self) -> str:
        """The move in words."""
        return f"{self.name or 'not given'} {_percent(self.before)} → {_percent(self.now)}"


@dataclass(frozen=True, slots=True)
class Departures:
    """All that was compared: distributions, shares of segments and channels, and the alerts in words."""

    drifts: tuple[Drift, ...]
    segments: tuple[Move, ...]
    channels: tuple[Move, ...]
    outcomes: tuple[Move, ...]

    @property
    def alerts(self) -> tuple[str, ...]:
        """What departs beyond chance and far enough to look at, a line each."""
        said = {"mix of segments": _say_moves("segments", self.segments),
                "mix of channels": _say_moves("channels", self.channels),
                "outcomes": _say_moves("what is done", self.outcomes)}  # fmt: skip
        drifted = [one for one in self.drifts if one.alert and not said.get(one.aspect)]
        return (*(line for line in said.values() if line), *map(_say_drift, drifted))


def compare_streams(reference: Stream | None, current: Stream, labels: Sequence[str], *, mixes: bool) -> Departures:
    """Return the departures; without `mixes` the reference tells nothing of how often a segment or channel comes."""
    before = reference if mixes else None
    outcomes = {
        "handled with nobody looking": _auto,
        "taken out as spam": taken_out,
        "out of scope": lambda stream: stream.reason == "out_of_scope",
        "unsupported language": lambda stream: stream.reason == "unsupported_language",
    }
    return Departures(
        tuple(_drifts(reference, current, mixes)) if reference is not None and len(current) else (),
        _moves("label", before, current, labels),
        _moves("channel", before, current, names_by_count(current.channel)),
        tuple(move_of(name, None if before is None else of(before), of(current)) for name, of in outcomes.items()),
    )


def taken_out(stream: Stream) -> np.ndarray:
    """Return which answers (N,) took a message out as spam with nobody looking."""
    return stream.auto & (stream.label == "spam")


def names_by_count(column: np.ndarray) -> list[str]:
    """Return the values of a column, the most frequent first."""
    names, counts = np.unique(column.astype(str), return_counts=True)
    return [str(names[place]) for place in np.argsort(-counts, kind="stable")]


def move_of(name: str, before: np.ndarray | None, now: np.ndarray) -> Move:
    """Return how the share of true entries moved; what cannot be compared is not a number."""
    hits, count = int(now.sum()), len(now)
    share, nan = hits / count if count else float("nan"), float("nan")
    if before is None or not len(before) or not count:
        return Move(name, hits, share, nan, nan, nan, 0.0)
    old_hits, old_count = int(before.sum()), len(before)
    old = old_hits / old_count
    (low, high), (old_low, old_high) = wilson(hits, count), wilson(old_hits, old_count)
    change, pooled = share - old, (hits + old_hits) / (count + old_count)
    spread = float(np.sqrt(pooled * (1 - pooled) * (1 / count + 1 / old_count)))
    return Move(
        name, hits, share, old, change - float(np.hypot(share - low, old_high - old)),
        change + float(np.hypot(high - share, old - old_low)), change / spread if spread else 0.0,
    )  # fmt: skip


def _moves(column: str, reference: Stream | None, current: Stream, names: Sequence[str]) -> tuple[Move, ...]:
    now = getattr(current, column)
    before = getattr(reference, column) if reference is not None else None
    gone = [name for name in (names_by_count(before) if before is not None else ()) if name not in names]
    return tuple(move_of(name, before == name if before is not None else None, now == name) for name in [*names, *gone])


def _auto(stream: Stream) -> np.ndarray:
    return stream.auto


def _drifts(reference: Stream, current: Stream, mixes: bool) -> list[Drift]:
    found = []
    if mixes:
        found = [category_drift("mix of segments", reference.label.tolist(), current.label.tolist()),
                 category_drift("mix of channels", reference.channel.tolist(), current.channel.tolist()),
                 category_drift("why people are asked", reference.reason.tolist(), current.reason.tolist())]  # fmt: skip
    found.append(number_drift("confidence", reference.confidence, current.confidence))
    doubts = [stream.doubt[~np.isnan(stream.doubt)] for stream in (reference, current)]
    if all(len(one) for one in doubts):
        found.append(number_drift("doubt", doubts[0], doubts[1]))
    if reference.texts and current.texts:
        lengths = [np.array([len(text) for text in stream.texts]) for stream in (reference, current)]
        found.append(number_drift("length of messages", lengths[0], lengths[1]))
        words = vocabulary_of(reference.texts[::2])  # of one half: every text knows its own words
        known = [known_share(texts, words) for texts in (reference.texts[1::2], current.texts)]
        found.append(number_drift("share of known words", known[0], known[1]))
    return found


def _say_moves(what: str, moves: Sequence[Move]) -> str:
    loud = sorted((one for one in moves if one.alert), key=lambda one: -abs(one.z))
    return f"{what.capitalize()}: {', '.join(one.says for one in loud)}." if loud else ""


def _say_drift(one: Drift) -> str:
    return (f"The {one.aspect} departs from the reference (index {one.index:.2f}, chance moves it as far in "
            f"{_percent(one.p_value)} of draws).")  # fmt: skip


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
