"""What was answered in a period, as columns: everything that listening to a stream is counted from."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from data.ledger import Decision
from evaluation.score import Scored


@dataclass(frozen=True, slots=True)
class Stream:
    """Answers, one entry each (N,), oldest first; `texts` are those of the messages at `drawn` (M,), as far as kept."""

    at: np.ndarray  # seconds since 1970, UTC
    label: np.ndarray
    channel: np.ndarray
    auto: np.ndarray
    reason: np.ndarray
    version: np.ndarray
    confidence: np.ndarray
    doubt: np.ndarray  # not a number where the log does not say
    message_id: np.ndarray
    drawn: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    texts: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.label)


def to_stream(decisions: Iterable[Decision]) -> Stream:
    """Return decisions as columns, without texts."""
    rows = [
        (one.at.timestamp(), one.label, str(one.extra.get("channel") or ""), one.outcome == "auto", one.reason,
         one.model_version, one.confidence, _number(one.extra.get("doubt")), one.message_id)
        for one in decisions
    ]  # fmt: skip
    at, label, channel, auto, reason, version, confidence, doubt, key = zip(*rows, strict=True) if rows else [()] * 9
    return Stream(
        np.array(at, dtype=float), _words(label), _words(channel), np.array(auto, dtype=bool), _words(reason),
        _words(version), np.array(confidence, dtype=float), np.array(doubt, dtype=float), _words(key),
    )  # fmt: skip


def stream_of(scored: Scored, version: str) -> Stream:
    """Return a model's answers on test rows as if they had come in, for want of a real period to compare with."""
    judged, count = scored.judgements, len(scored.rows)
    return Stream(
        np.zeros(count), _words(one.label for one in judged), _words(row.message.channel for row in scored.rows),
        np.array([one.outcome == "auto" for one in judged], dtype=bool), _words(one.reason or "" for one in judged),
        _words([version] * count), np.array([one.confidence for one in judged], dtype=float), scored.predictions.doubt,
        _words(row.message.id for row in scored.rows), np.arange(count), [row.message.text for row in scored.rows],
    )  # fmt: skip


def draw(count: int, most: int, seed: int = 0) -> list[int]:
    """Return at most so many of the first `count` positions, evenly drawn, in order; the same ones each time."""
    return list(range(count)) if count <= most else sorted(random.Random(seed).sample(range(count), most))


def moment(seconds: float) -> datetime:
    """Return seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _words(values: Iterable[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)
