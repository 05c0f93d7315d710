"""A text that comes alone: answered as ever, shared between processors only where that was found faster, never in a crowd."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.bundles import GOLDEN_TEXTS
from training import lone
from training.bundle import MODEL
from training.lone import CROWD_MEMORY, Lanes
from training.predictor import Predictor

ROWS = [(np.array([[1, 2, 3]]), np.ones((1, 3), dtype=np.int64))]


@pytest.fixture
def lanes(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Lanes:
    monkeypatch.setattr(lone, "is_faster", lambda *_: True)
    found = Lanes(tiny_bundle / MODEL, 1)
    assert found.share(2, ROWS)
    return found


def pass_alone(lanes: Lanes, runs: int) -> bool:
    """Return whether the last of so many lone runs was shared."""
    for _ in range(runs):
        with lanes.lane(1) as session:
            shared = session is lanes.shared
    return shared


def test_a_text_is_shared_once_several_met_no_other(lanes: Lanes):
    assert not pass_alone(lanes, CROWD_MEMORY)
    assert pass_alone(lanes, 1)


def test_a_batch_is_never_shared_and_ends_the_quiet(lanes: Lanes):
    pass_alone(lanes, CROWD_MEMORY + 1)
    with lanes.lane(2) as session:
        assert session is lanes.session
    assert not pass_alone(lanes, CROWD_MEMORY)


def test_two_at_once_share_nothing_and_end_the_quiet(lanes: Lanes):
    assert pass_alone(lanes, CROWD_MEMORY + 1)
    with lanes.lane(1), lanes.lane(1) as second:
        assert second is lanes.session
    assert not pass_alone(lanes, CROWD_MEMORY)


def test_a_failed_run_counts_as_ended(lanes: Lanes):
    with pytest.raises(ValueError, match="odd"), lanes.lane(1):
        raise ValueError("odd")
    assert pass_alone(lanes, CROWD_MEMORY + 1)


@pytest.mark.parametrize(
    ("together", "faster"),
    [(1.0, False), (1 / lone.LEAST_SPEEDUP + 0.01, False), (1 / lone.LEAST_SPEEDUP - 0.01, True)],
)
def test_sharing_must_be_clearly_faster(lanes: Lanes, monkeypatch: pytest.MonkeyPatch, together: float, faster: bool):
    monkeypatch.undo()
    monkeypatch.setattr(lone, "_seconds", lambda session, batch: together if session is lanes.shared else 1.0)
    assert lanes.shared is not None
    assert lone.is_faster(lanes.session, lanes.shared, ROWS) is faster


def test_one_slow_round_decides_nothing(lanes: Lanes, monkeypatch: pytest.MonkeyPatch):
    times = iter([1.0, 9.0, *[1.0, 0.5] * (lone.ROUNDS - 1)])
    monkeypatch.undo()
    monkeypatch.setattr(lone, "_seconds", lambda *_: next(times))
    assert lanes.shared is not None
    assert lone.is_faster(lanes.session, lanes.shared, ROWS)


def test_nothing_is_held_twice_where_it_cannot_pay(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch):
    lanes = Lanes(tiny_bundle / MODEL, 1)
    assert not lanes.share(1, ROWS)
    monkeypatch.setattr(lone, "is_faster", lambda *_: False)
    assert not lanes.share(2, ROWS)
    monkeypatch.setattr(lone, "is_faster", lambda *_: True)
    monkeypatch.setattr(lone, "MOST_BYTES", 10)
    assert not lanes.share(2, ROWS)
    assert lanes.shared is None


def test_a_session_that_answers_otherwise_is_not_used(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lone, "is_faster", lambda *_: True)
    answers = iter([[np.zeros((1, 8)), np.zeros(1)], [np.ones((1, 8)), np.zeros(1)]])
    monkeypatch.setattr(lone, "run", lambda *_: next(answers))
    assert not Lanes(tiny_bundle / MODEL, 1).share(2, ROWS)


def test_a_shared_text_gets_the_answer_it_gets_in_a_batch(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lone, "is_faster", lambda *_: True)
    predictor = Predictor(tiny_bundle, threads=1)
    together = predictor.predict(GOLDEN_TEXTS).scores
    assert predictor.share(2)
    shared: list[Sequence[float]] = [predictor.predict([text]).scores[0] for text in GOLDEN_TEXTS * 2]
    np.testing.assert_allclose(shared, np.concatenate([together] * 2), atol=1e-6)
