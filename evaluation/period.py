"""Periods of time: from what a person types to a beginning, and into hours, days or weeks to count by."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from configs.errors import SwitchboardError

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FIRST, _LONGEST = datetime(2000, 1, 1, tzinfo=UTC), timedelta(weeks=52 * 100)
_HOURS_UP_TO, _DAYS_UP_TO = timedelta(days=3), timedelta(days=62)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to and without `end`, both aware."""

    start: datetime
    end: datetime

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one starts."""
        return Period(self.start - (self.end - self.start), self.start)

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.end - self.start) / timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Steps:
    """A period in equal steps: `edges` (K + 1,) in seconds since 1970, and what a step is called."""

    edges: np.ndarray
    name: str

    def of(self, at: np.ndarray) -> np.ndarray:
        """Return the step (N,) in which each moment (N,) lies."""
        return np.clip(np.searchsorted(self.edges, at, side="right") - 1, 0, len(self.edges) - 2)


def parse_since(text: str, now: datetime | None = None) -> Period:
    """Return the period from `7d`, `24h`, `2w` ago, or from a date or time (UTC where it says no zone), until now."""
    now = now or datetime.now(UTC)
    if found := re.fullmatch(r"(\d{1,5})([hdw])", text.strip()):
        start = now - min(int(found[1]) * _UNITS[found[2]], _LONGEST)
    else:
        try:
            start = datetime.fromisoformat(text.strip())
        except ValueError:
            raise SwitchboardError(
                f"--since {text!r}: neither a date (2026-11-01) nor a time ago (24h, 7d, 2w)"
            ) from None
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
    if start < _FIRST:
        raise SwitchboardError(f"--since {text!r}: is before {_FIRST:%Y-%m-%d}, when nothing was decided yet")
    if start >= now:
        raise SwitchboardError(f"--since {text!r}: is not in the past")
    return Period(start, now)


def steps_of(period: Period) -> Steps:
    """Return hours for up to three days, days for up to two months, else weeks; they begin and end on whole ones."""
    length = period.end - period.start
    name = "hour" if length <= _HOURS_UP_TO else "day" if length <= _DAYS_UP_TO else "week"
    step = _UNITS[name[0]].total_seconds()
    first = np.floor(period.start.timestamp() / step) * step
    count = max(1, int(np.ceil((period.end.timestamp() - first) / step)))
    return Steps(first + step * np.arange(count + 1), name)
