from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from configs.errors import SwitchboardError
from evaluation.departures import move_of
from evaluation.period import Period, parse_since, steps_of

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start"),
    [("7d", NOW - timedelta(days=7)), ("24h", NOW - timedelta(hours=24)), ("2w", NOW - timedelta(days=14)),
     ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)), ("2026-11-01T12:00+02:00", datetime(2026, 11, 1, 10, tzinfo=UTC))],
)  # fmt: skip
def test_a_beginning_is_a_time_ago_or_a_date(text: str, start: datetime):
    assert parse_since(text, NOW) == Period(start, NOW)


@pytest.mark.parametrize("text", ["last week", "7", "0d", "2026-13-01", "2027-01-01", "d7", "1000-01-01", "99999w"])
def test_what_is_no_beginning_is_refused(text: str):
    with pytest.raises(SwitchboardError, match="--since"):
        parse_since(text, NOW)


@pytest.mark.parametrize(("days", "name", "count"), [(1, "hour", 25), (7, "day", 8), (365, "week", 53)])
def test_a_period_has_whole_steps_that_cover_it(days: int, name: str, count: int):
    period = Period(NOW - timedelta(days=days), NOW)
    steps = steps_of(period)
    assert (steps.name, len(steps.edges) - 1) == (name, count)
    ends = np.array([period.start.timestamp(), period.end.timestamp() - 1])
    assert steps.of(ends).tolist() == [0, count - 1] and period.before.end == period.start


def test_a_share_alerts_where_it_moves_far_and_beyond_chance():
    few, many = np.arange(100) < 10, np.arange(10_000) < 1000
    assert move_of("fraud", few, np.arange(100) < 16).alert is False, "within chance"
    assert move_of("fraud", many, np.arange(10_000) < 1150).alert is False, "beyond chance, but not far"
    assert move_of("fraud", many, np.arange(10_000) < 1600).alert is True
    assert move_of("fraud", many, np.arange(10_000) < 300).alert is True, "a fall is one too"
    risen = move_of("fraud", many, np.arange(10_000) < 1600)
    assert risen.low < 0.06 < risen.high and risen.says == "fraud 10% → 16%"
    assert move_of("fraud", None, few).alert is False
