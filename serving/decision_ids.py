"""Decision ids: the second of the decision and chance, so that any process can tell a late one from none."""

import re
import secrets
from datetime import UTC, datetime, timedelta

_FORM = re.compile(r"d-([0-9a-f]{8})[0-9a-f]{16}")
PATIENCE = timedelta(days=1)  # with a correction whose decision another process may still have to write
_CLOCKS = timedelta(minutes=5)  # that the clocks of two machines may differ by


def new_decision_id(at: datetime) -> str:
    """Return an id that nobody can guess, of a decision made at this time."""
    return f"d-{int(at.timestamp()):08x}{secrets.token_hex(8)}"


def may_be_written_yet(decision_id: str) -> bool:
    """Return whether an id is of a decision so late that another process may still have to write it."""
    found = _FORM.fullmatch(decision_id)
    if found is None:
        return False
    age = datetime.now(UTC) - datetime.fromtimestamp(int(found[1], 16), UTC)
    return -_CLOCKS < age < PATIENCE
