"""Label events: who said which label of which message when, and what the model had said; appended, never changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Select, func, select

from configs.dataset import Origin
from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.ledger.engine import Database, chunked
from data.ledger.schema import label_events, notes
from data.ledger.taxonomies import Taxonomies
from data.ledger.tombstones import MESSAGE, Tombstones

# label: says a label (or `none`); skip: looked and would not say; retract: takes back what stood under its subject
Kind = Literal["label", "skip", "retract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """One saying. `key` makes appending idempotent (`ls:<project>:<annotation>:<updated at>`, a decision's id, ...).

    A later event with the same message, annotator, origin and `subject` stands in place of the earlier; `subject`
    tells several annotations by one person apart (Label Studio's annotation id) and may stay empty.
    """

    key: str
    message_id: str
    annotator: str
    origin: Origin
    kind: Kind = "label"
    label: str = ""
    second: tuple[str, ...] = ()
    subject: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float | None = None
    note: str = ""
    model_version: str = ""
    model_label: str = ""
    model_confidence: float | None = None
    taxonomy_version: str = field(default_factory=lambda: load_taxonomy().version)
    batch: str = ""  # in which the message was shown to the labeler; empty where that is not known


_COLUMNS = tuple(item.name for item in fields(LabelEvent) if item.name != "note")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its place in the order of arrival."""

    seq: int
    event: LabelEvent


class Events:
    """The label events, oldest first."""

    def __init__(self, database: Database, taxonomies: Taxonomies, tombstones: Tombstones) -> None:
        self._database = database
        self._taxonomies = taxonomies
        self._tombstones = tombstones

    def append(self, events: Iterable[LabelEvent]) -> int:
        """Append the events whose key is new and return how many they were; a wrong one refuses the whole call."""
        batch = list(events)
        if not batch:
            return 0
        with self._database.writing():
            self._taxonomies.require(load_taxonomy())
            for event in batch:
                self._check(event)
            forgotten = self._tombstones.among(MESSAGE, [event.message_id for event in batch if event.note])
            noted = [event for event in batch if event.note and event.message_id not in forgotten]
            self._database.insert_new(notes, [_note(event) for event in noted])
            return self._database.insert_new(label_events, [_to_row(event) for event in batch])

    def all(self, *, after: int = 0, origin: Origin | None = None) -> Iterator[StoredEvent]:
        """Yield the events in the order they were appended, in bounded memory."""
        query = _query()
        if origin:
            query = query.where(label_events.c.origin == origin)
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(query.where(label_events.c.seq > after).limit(2000)).all()
            if not rows:
                return
            yield from map(_from_row, rows)
            after = rows[-1].seq

    def of(self, message_ids: Iterable[str]) -> dict[str, list[StoredEvent]]:
        """Return the events of these messages, oldest first; messages without any are left out."""
        found: dict[str, list[StoredEvent]] = {}
        with self._database.reading() as connection:
            for part in chunked(list(dict.fromkeys(message_ids))):
                for row in connection.execute(_query().where(label_events.c.message_id.in_(part))):
                    found.setdefault(row.message_id, []).append(_from_row(row))
        return found

    def counts(self, taxonomy_version: str) -> dict[str, int]:
        """Return how many events said each label of a taxonomy."""
        says = (label_events.c.taxonomy_version == taxonomy_version) & (label_events.c.kind == "label")
        query = select(label_events.c.label, func.count()).where(says).group_by(label_events.c.label)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(label_events.c.label)).all()
        return {row[0]: row[1] for row in rows}

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return which of the keys were appended before."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for part in chunked(list(keys)):
                found.update(
                    connection.execute(select(label_events.c.key).where(label_events.c.key.in_(part))).scalars()
                )
        return found

    def _check(self, event: LabelEvent) -> None:
        where = f"label event {event.key!r}"
        if not event.key or not event.message_id or not event.annotator:
            raise SwitchboardError(f"{where}: key, message_id and annotator must not be empty")
        if event.kind not in get_args(Kind) or event.origin not in get_args(Origin):
            raise SwitchboardError(f"{where}: unknown kind {event.kind!r} or origin {event.origin!r}")
        values = load_taxonomy().annotation_values if event.taxonomy_version == load_taxonomy().version else None
        said = (event.label, *event.second) if event.kind == "label" else ()
        wrong = [label for label in said if values is not None and label not in values]
        if wrong:
            raise SwitchboardError(f"{where}: unknown label {wrong[0]!r}; use one of {', '.join(values or ())}")


def _query() -> Select[Any]:
    joined = label_events.outerjoin(notes, notes.c.event_key == label_events.c.key)
    return select(label_events, notes.c.note).select_from(joined).order_by(label_events.c.seq)


def _note(event: LabelEvent) -> dict[str, str]:
    return {"event_key": event.key, "message_id": event.message_id, "note": event.note}


def _to_row(event: LabelEvent) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in _COLUMNS}
    return row | {"second": list(event.second), "label": event.label if event.kind == "label" else ""}


def _from_row(row: Any) -> StoredEvent:
    values = {name: value for name, value in row._mapping.items() if name != "seq"}
    return StoredEvent(row.seq, LabelEvent(**values | {"second": tuple(row.second), "note": row.note or ""}))
