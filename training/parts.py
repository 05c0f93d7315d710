"""Which rows are fitted, which stop and calibrate, and which are only ever tested on; by the message's id, for good."""

import hashlib
from collections.abc import Iterable, Sequence

from data.messages import LabelledMessage

TEST_PERCENT, HOLDOUT_PERCENT = 8, 10


def bucket(message_id: str) -> int:
    """Return a number from 0 to 99 that never changes for an id."""
    return int(hashlib.sha256(message_id.encode()).hexdigest()[:8], 16) % 100


def seed_parts(
    rows: Iterable[LabelledMessage],
) -> tuple[list[LabelledMessage], list[LabelledMessage], list[LabelledMessage]]:
    """Return the seed rows to fit, to hold out (early stopping and calibration) and to test."""
    fit, holdout, test = [], [], []
    for row in rows:
        place = bucket(row.message.id)
        part = test if place < TEST_PERCENT else holdout if place < TEST_PERCENT + HOLDOUT_PERCENT else fit
        part.append(row)
    return fit, holdout, test


def fingerprint(rows: Sequence[LabelledMessage]) -> str:
    """Return the SHA-256 of ids, texts and labels, whatever the order of the rows."""
    lines = sorted(f"{row.message.id}\t{row.message.text}\t{row.label}\t{','.join(row.second)}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
