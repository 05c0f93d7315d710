"""Writing decisions and corrections to the ledger: idempotent, a batch in one transaction."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from sqlalchemy.exc import DataError

from data.ledger import Decision, LabelEvent, Ledger, LedgerError
from serving.records import DecisionRecord, FeedbackRecord, Record

_OUTAGES = (LedgerError, OSError)

log = logging.getLogger("switchboard.log")


class LedgerWriter:
    """The ledger, opened when first needed and again after it failed."""

    def __init__(self, open_: Callable[[], Ledger]) -> None:
        self._open = open_
        self._ledger: Ledger | None = None

    def write(self, records: Sequence[Record]) -> int:
        """Write the records, all or none; what was written before is left as it is.

        A record that the database refuses for what it says is left out by itself and logged; returns how many were.
        """
        try:
            try:
                self._write(records)
                return 0
            except Exception as error:
                if _is_outage(error):
                    raise
                return sum(not self._is_taken_alone(record) for record in records)
        except _OUTAGES:
            self.close()
            raise

    def _write(self, records: Sequence[Record]) -> None:
        ledger = self.ledger()
        made = [record for record in records if isinstance(record, DecisionRecord)]
        with ledger.writing():
            ledger.messages.add(record.message for record in made if record.message.text)
            ledger.decisions.append(Decision(**asdict(record.decision)) for record in made)
            for record in records:
                if isinstance(record, FeedbackRecord):
                    append_feedback(ledger, record)

    def _is_taken_alone(self, record: Record) -> bool:
        try:
            self._write([record])
            return True
        except Exception as error:
            if _is_outage(error):
                raise
            log.error("a record was refused", extra={"kind": type(record).__name__, "reason": type(error).__name__})
            return False

    def ledger(self) -> Ledger:
        """Return the ledger, opened."""
        self._ledger = self._ledger or self._open()
        return self._ledger

    def close(self) -> None:
        """Give the connections back."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


def _is_outage(error: Exception) -> bool:
    """Return whether the database is at fault, and not what one record says."""
    return isinstance(error, _OUTAGES) and not isinstance(error.__cause__, DataError)


def append_feedback(ledger: Ledger, record: FeedbackRecord) -> bool:
    """Append a correction as a label event and return whether it said something new.

    Saying again what the same annotator had said last by then changes nothing, in whatever order corrections arrive;
    going back to an earlier label is new.
    """
    record = _resolved(ledger, record)
    if not record.message_id:
        log.error("feedback on an unknown decision", extra={"decision_id": record.decision_id})
        return False
    stored = ledger.events.of([record.message_id]).get(record.message_id, [])
    mine = [one.event for one in stored if one.event.origin == "feedback" and one.event.annotator == record.annotator]
    key = record.key
    if not record.given_key:
        before = [one for one in mine if one.at <= record.at]
        if before and sorted(before, key=lambda one: one.at)[-1].label == record.label:
            return False
        key = f"{record.key}#{len(mine)}"
    decided = _decided(ledger, record)
    event = LabelEvent(
        key=key, message_id=record.message_id, annotator=record.annotator, origin="feedback", label=record.label,
        at=record.at, note=record.note, model_version=decided[0], model_label=decided[1], model_confidence=decided[2],
    )  # fmt: skip
    return bool(ledger.events.append([event]))


def _resolved(ledger: Ledger, record: FeedbackRecord) -> FeedbackRecord:
    if record.message_id or not record.decision_id:
        return record
    found = ledger.decisions.get([record.decision_id]).get(record.decision_id)
    return replace(record, message_id=found.message_id) if found else record


def _decided(ledger: Ledger, record: FeedbackRecord) -> tuple[str, str, float | None]:
    """Return the version, label and confidence of the decision that was corrected, or of the message's last one."""
    if record.decision_id:
        found = ledger.decisions.get([record.decision_id]).get(record.decision_id)
    else:
        found = next(reversed(ledger.decisions.of([record.message_id]).get(record.message_id, [])), None)
    return (found.model_version, found.label, found.confidence) if found else ("", "", None)
