"""What is forgotten when: old decisions go, and texts past their labelling window lose whom they name."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from data.batches import batches
from data.clean import clean
from serving.records import SOURCE

if TYPE_CHECKING:
    from data.ledger import Ledger

EVERY_S = 3600.0
_BATCH = 1000


class Retention:
    """Keeps to the settings once an hour; None keeps for ever."""

    def __init__(self, keep_decisions_days: int | None, labelling_window_days: int | None) -> None:
        self._keep_days, self._window_days = keep_decisions_days, labelling_window_days
        self._next = 0.0
        self._masked_until: datetime | None = None

    def is_due(self) -> bool:
        """Return whether there is anything to keep to and an hour has passed."""
        return (self._keep_days or self._window_days) is not None and monotonic() >= self._next

    def keep(self, ledger: "Ledger", now: datetime | None = None) -> None:
        """Mask and delete what is due, if an hour has passed."""
        if not self.is_due():
            return
        self._next = monotonic() + EVERY_S
        now = now or datetime.now(UTC)
        if self._window_days is not None:
            self._mask(ledger, now - timedelta(days=self._window_days))
        if self._keep_days is not None:
            ledger.decisions.delete_before(now - timedelta(days=self._keep_days))

    def _mask(self, ledger: "Ledger", until: datetime) -> None:
        """Put the cleaned text, which names nobody, in place of each text, own or quoted, the service stored before `until`."""
        for part in batches(ledger.decisions.all(since=self._masked_until, until=until), _BATCH):
            decided = ledger.decisions.of(one.message_id for one in part)
            past = [key for key, found in decided.items() if found[-1].at < until]
            mine = [one.message for one in ledger.messages.get(past).values() if one.message.source == SOURCE]
            for column in ("text", "parent_text"):
                texts = {one.id: getattr(one, column) for one in mine}
                masked = {key: clean(text) for key, text in texts.items()}
                ledger.messages.replace_texts({key: new for key, new in masked.items() if new != texts[key]}, column)
        self._masked_until = until
