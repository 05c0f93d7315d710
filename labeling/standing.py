"""What stands of all that was said: each annotator's last word on a message, nothing where it was taken back."""

from collections.abc import Iterable

from data.ledger import LabelEvent, StoredEvent

PEOPLE = frozenset({"labeler", "review"})


def standing(events: Iterable[StoredEvent], origins: frozenset[str] = PEOPLE) -> list[LabelEvent]:
    """Return the labels and skips that stand, one for each annotator and message, in the order they were said."""
    by_subject: dict[tuple[str, str, str, str], StoredEvent] = {}
    for stored in events:
        event = stored.event
        if event.origin not in origins:
            continue
        key = (event.message_id, event.annotator, event.origin, event.subject)
        if key not in by_subject or _order(by_subject[key]) <= _order(stored):
            by_subject[key] = stored
    last: dict[tuple[str, str], LabelEvent] = {}
    for stored in sorted(by_subject.values(), key=_order):
        if stored.event.kind != "retract":
            last.pop((stored.event.message_id, stored.event.annotator), None)
            last[stored.event.message_id, stored.event.annotator] = stored.event
    return list(last.values())


def _order(stored: StoredEvent) -> tuple[object, int]:
    return stored.event.at, stored.seq
