"""The ledger: what people wrote, what was said of it and by whom, what was decided and what was chosen for labelling.

    ledger = open_ledger()                              # or open_ledger("postgresql://..."); migrates the schema
    ledger.messages.add([Message("hi", "m-1")])         # each `add` and `append` is idempotent by key
    ledger.events.append([LabelEvent(key="ls:1:7", message_id="m-1", label="praise", annotator="ann", origin="labeler")])
    ledger.decisions.append([Decision(...)])
    with ledger.writing():                              # several calls, all or nothing
        ...

Texts stand only in `messages` (and labelers' notes in `notes`), so that they can be erased; all else holds keys.
"""

from data.ledger.decisions import FILE_CALLER, Decision
from data.ledger.errors import LedgerError
from data.ledger.events import LabelEvent, StoredEvent
from data.ledger.messages import Added, StoredMessage
from data.ledger.selections import Selection
from data.ledger.store import Ledger, open_ledger

__all__ = [
    "FILE_CALLER",
    "Added",
    "Decision",
    "LabelEvent",
    "Ledger",
    "LedgerError",
    "Selection",
    "StoredEvent",
    "StoredMessage",
    "open_ledger",
]
