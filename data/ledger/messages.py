"""The one table of texts: everything that names or quotes a person stands here and can be erased."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, select, update

from data.ledger.engine import Database, chunked
from data.ledger.schema import bands, label_events, messages, notes
from data.ledger.tombstones import AUTHOR, MESSAGE, Tombstones
from data.messages import Message

_FIELDS = tuple(field.name for field in fields(Message))


@dataclass(frozen=True, slots=True)
class Added:
    """What became of messages handed in: new ones, ones that were there, and ones whose tombstone refused them."""

    new: int
    known: int
    forgotten: int


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with what the ledger knows of it: its place in the order of arrival, its side and its group."""

    message: Message
    seq: int
    side: str
    near_group: str


class Messages:
    """Texts by id; the first text of an id stays."""

    def __init__(self, database: Database, tombstones: Tombstones) -> None:
        self._database = database
        self._tombstones = tombstones

    def add(self, items: Iterable[Message]) -> Added:
        """Add the messages whose id is new, but none that is, or whose author is, forgotten."""
        batch = list(items)
        with self._database.writing():
            refused = self.forgotten(batch)
            quoted = self._tombstones.among(MESSAGE, [item.parent_id for item in batch])
            rows = [_to_row(item, item.parent_id in quoted) for item in batch if item.id not in refused]
            new = self._database.insert_new(messages, rows)
        return Added(new, len(rows) - new, len(batch) - len(rows))

    def forgotten(self, items: Sequence[Message]) -> set[str]:
        """Return the ids among these messages that a tombstone refuses."""
        ids = self._tombstones.among(MESSAGE, [item.id for item in items])
        authors = self._tombstones.among(AUTHOR, [item.author for item in items])
        return ids | {item.id for item in items if item.author in authors}

    def get(self, ids: Iterable[str]) -> dict[str, StoredMessage]:
        """Return the messages that are there, by id."""
        found = {}
        with self._database.reading() as connection:
            for part in chunked(list(dict.fromkeys(ids))):
                rows = connection.execute(select(messages).where(messages.c.id.in_(part)))
                found.update({row.id: _from_row(row) for row in rows})
        return found

    def known(self, ids: Iterable[str]) -> set[str]:
        """Return which of the ids are there."""
        return self._ids_where(messages.c.id, ids)

    def answers(self, ids: Iterable[str]) -> set[str]:
        """Return the ids of the messages that answer one of these, and so may quote it."""
        return self._ids_where(messages.c.parent_id, ids)

    def all(
        self, *, author: str = "", source: str = "", labelled: bool = False, after: int = 0
    ) -> Iterator[StoredMessage]:
        """Yield the messages in the order they came, in bounded memory: of one author or source, or with label events."""
        query = select(messages).order_by(messages.c.seq)
        if author:
            query = query.where(messages.c.author == author)
        if source:
            query = query.where(messages.c.source == source)
        if labelled:
            query = query.where(exists().where(label_events.c.message_id == messages.c.id))
        while rows := self._page(query.where(messages.c.seq > after)):
            yield from map(_from_row, rows)
            after = rows[-1].seq

    def replace_texts(self, texts: Mapping[str, str], column: Literal["text", "parent_text"] = "text") -> None:
        """Put other texts in place of these messages', as masking past the labelling window does."""
        statement = update(messages).where(messages.c.id == bindparam("key")).values({column: bindparam("new")})
        if texts:
            with self._database.writing() as connection:
                connection.execute(statement, [{"key": key, "new": text} for key, text in texts.items()])

    def erase(self, ids: Iterable[str], *, keep_keys: bool = False) -> int:
        """Erase messages, where others quote them, and labelers' notes on them; tombstones refuse their return.

        With `keep_keys` only the texts go: ids and authors stay until other stores were reached.
        """
        keys = sorted(set(ids))
        erased = 0
        with self._database.writing() as connection:
            self._tombstones.add(MESSAGE, keys)
            for part in chunked(keys):
                connection.execute(update(messages).where(messages.c.parent_id.in_(part)).values(parent_text=""))
                connection.execute(delete(notes).where(notes.c.message_id.in_(part)))
                connection.execute(delete(bands).where(bands.c.message_id.in_(part)))
                mine = messages.c.id.in_(part)
                emptied = update(messages).where(mine).values(text="", parent_text="")
                erased += connection.execute(emptied if keep_keys else delete(messages).where(mine)).rowcount
        return erased

    def _ids_where(self, column: ColumnElement[str], ids: Iterable[str]) -> set[str]:
        found: set[str] = set()
        with self._database.reading() as connection:
            for part in chunked(list(dict.fromkeys(ids))):
                found.update(connection.execute(select(messages.c.id).where(column.in_(part))).scalars())
        return found

    def _page(self, query: Select[Any]) -> Sequence[Any]:
        with self._database.reading() as connection:
            return connection.execute(query.limit(1000)).all()


def _to_row(message: Message, parent_forgotten: bool) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in _FIELDS}
    if parent_forgotten:
        row["parent_text"] = ""
    return row | {"added_at": datetime.now(UTC), "side": "", "near_group": ""}


def _from_row(row: Any) -> StoredMessage:
    return StoredMessage(Message(**{name: getattr(row, name) for name in _FIELDS}), row.seq, row.side, row.near_group)
