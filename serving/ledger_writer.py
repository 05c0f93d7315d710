"""Writing decisions and corrections to the ledger: idempotent, a batch in one transaction."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from sqlalchemy.exc import DataError

from data.ledger import Decision, LabelEvent, Ledger, LedgerError
from serving.decision_ids import PATIENCE
from serving.records import DecisionRecord, FeedbackRecord, Record, Written

_OUTAGES = (LedgerError, OSError)

log = logging.getLogger("switchboard.log")


class LedgerWriter:
    """The ledger, opened when first needed and again after it failed."""

    def __init__(self, open_: Callable[[], Ledger]) -> None:
        self._open = open_
        self._ledger: Ledger | None = None

    def write(self, records: Sequence[Record]) -> Written:
        """Write the records, all or none; what was written before is left as it is.

        A record that the database refuses for what it says is left out by itself and logged. A correction of a decision
        that is not there yet waits, for a day; then it is refused.
        """
        try:
            try:
                unknown = self._write(records)
                refused = 0
            except Exception as error:
                if _is_outage(error):
                    raise
                alone = [self._write_alone(record) for record in records]
                refused = sum(found is None for found in alone)
                unknown = [one for found in alone for one in found or []]
            return _sorted_out(unknown, refused)
        except _OUTAGES:
            self.close()
            raise

    def _write(self, records: Sequence[Record]) -> list[FeedbackRecord]:
        """Return the corrections whose decision is not there."""
        ledger = self.ledger()
        made = [record for record in records if isinstance(record, DecisionRecord)]
        with ledger.writing():
            ledger.messages.add(record.message for record in made if record.message.text)
            ledger.decisions.append(Decision(**asdict(record.decision)) for record in made)
            said = [_resolved(ledger, record) for record in records if isinstance(record, FeedbackRecord)]
            for record in said:
                if record.message_id:
                    append_feedback(ledger, record)
            return [record for record in said if not record.message_id]

    def _write_alone(self, record: Record) -> list[FeedbackRecord] | None:
        """Return the record where it must wait, None where it was refused."""
        try:
            return self._write([record])
        except Exception as error:
            if _is_outage(error):
                raise
            log.error("a record was refused", extra={"kind": type(record).__name__, "reason": type(error).__name__})
            return None

    def ledger(self) -> Ledger:
        """Return the ledger, opened."""
        self._ledger = self._ledger or self._open()
        return self._ledger

    def close(self) -> None:
        """Give the connections back."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


def _sorted_out(unknown: Sequence[FeedbackRecord], refused: int) -> Written:
    """Return the corrections that may wait, and count those that have waited long enough as refused."""
    since = datetime.now(UTC) - PATIENCE
    waiting = tuple(record for record in unknown if record.at > since)
    for record in unknown:
        if record.at <= since:
            log.error("feedback on an unknown decision", extra={"decision_id": record.decision_id})
    return Written(refused + len(unknown) - len(waiting), waiting)


def _is_outage(error: Exception) -> bool:
    """Return whether the database is at fault, and not what one record says."""
    return isinstance(error, _OUTAGES) and not isinstance(error.__cause__, DataError)


def append_feedback(ledger: Ledger, record: FeedbackRecord) -> bool:
    """Append a correction of a known message as a label event and return whether it said something new.

    Saying again what the same annotator had said last by then changes nothing, in whatever order corrections arrive;
    going back to an earlier label is new.
    """
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
