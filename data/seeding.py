"""Bringing the shipped corpus into the ledger, and keeping it as the corpus is now."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data.batches import batches
from data.corpus import CORPUS, SEED_SOURCE, SeedRow, read_corpus
from data.ledger import LabelEvent, Ledger

_ANNOTATOR = SEED_SOURCE


def add_seed(ledger: Ledger, folder: Path = CORPUS) -> int:
    """Add what is new or changed in the corpus, take back what left it, and return how many events that took."""
    appended, present = 0, set()
    for batch in batches(read_corpus(folder), 1000):
        present.update(row.id for row in batch)
        appended += _add(ledger, batch)
    stored = ledger.messages.all(source=SEED_SOURCE) if present else ()
    gone = [one.message.id for one in stored if one.message.id not in present]
    for batch in batches(gone, 1000):
        appended += _retract(ledger, batch)
    return appended


def _add(ledger: Ledger, rows: list[SeedRow]) -> int:
    with ledger.database.writing_alone():
        messages = [row.labelled().message for row in rows]
        ledger.messages.add(messages)
        stored = ledger.messages.get(message.id for message in messages)
        ledger.messages.replace_texts(
            {one.id: one.text for one in messages if one.id in stored and stored[one.id].message.text != one.text}
        )
        events = [
            LabelEvent(
                key="?", message_id=row.id, annotator=_ANNOTATOR, origin="seed", label=row.label, second=row.second
            )
            for row in rows
            if row.id in stored
        ]
        return _append_changes(ledger, events)


def _retract(ledger: Ledger, ids: list[str]) -> int:
    with ledger.database.writing_alone():
        events = [
            LabelEvent(key="?", message_id=key, annotator=_ANNOTATOR, origin="seed", kind="retract") for key in ids
        ]
        return _append_changes(ledger, events)


def _append_changes(ledger: Ledger, events: Sequence[LabelEvent]) -> int:
    """Append the events that say something else than the last one on their message did."""
    new = []
    before = ledger.events.of(event.message_id for event in events)
    for event in events:
        earlier = [stored.event for stored in before.get(event.message_id, ()) if stored.event.origin == "seed"]
        if not earlier or _says(earlier[-1]) != _says(event):
            new.append(replace(event, key=f"seed:{event.message_id}:{len(earlier)}"))
    return ledger.events.append(new)


def _says(event: LabelEvent) -> tuple[str, str, tuple[str, ...]]:
    return event.kind, event.label, event.second
