"""Decisions and their messages as the service logs them, for tests that listen to a stream."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from data.ledger import Decision, Ledger
from data.messages import Message


def log_answers(
    ledger: Ledger, start: datetime, labels: Sequence[str], texts: Sequence[str] = (), *, confidence: float = 0.9,
    channel: str = "twitter", reason: str = "", doubt: float | None = 0.1, version: str = "1", key: str = "d", caller: str = "",
) -> None:  # fmt: skip
    """Log an answer a minute from `start` on, with its text where there is one."""
    rows = [(f"{key}-{number}", start + timedelta(minutes=number), label) for number, label in enumerate(labels)]
    ledger.messages.add([Message(text, name) for (name, _, _), text in zip(rows, texts, strict=False)])
    extra = {"channel": channel, "caller": caller} | ({"doubt": doubt} if doubt is not None else {})
    ledger.decisions.append(
        Decision(
            id=name, message_id=name, at=at, label=label, confidence=confidence, scores={label: confidence}, reason=reason,
            outcome="review" if reason else "auto", model_version=version, taxonomy_version="1", extra=extra,
        )
        for name, at, label in rows
    )  # fmt: skip
