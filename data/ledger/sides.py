"""Which side of the split a message is on: drawn once, stored, and never moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, exists, select, update

from data.ledger.engine import Database, chunked
from data.ledger.schema import bands, label_events, messages

TRAIN, TEST, QUARANTINED = "train", "test", "quarantined"
_DRAWN = messages.c.side.in_((TRAIN, TEST))


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a message was put, and the bands under which its likes shall find it."""

    message_id: str
    side: str
    near_group: str
    bands: tuple[int, ...]


class Sides:
    """The sides of messages and the bands of their texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unplaced(self, limit: int) -> list[str]:
        """Return the first messages with a label event that have no side yet, in the order they came."""
        labelled = exists().where(label_events.c.message_id == messages.c.id)
        query = select(messages.c.id).where(messages.c.side == "", labelled).order_by(messages.c.seq).limit(limit)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def alike(self, keys: Iterable[int]) -> dict[int, set[str]]:
        """Return the messages that stand under each of these bands."""
        found: dict[int, set[str]] = {}
        with self._database.reading() as connection:
            for part in chunked(list(set(keys))):
                for row in connection.execute(select(bands).where(bands.c.band.in_(part))):
                    found.setdefault(row.band, set()).add(row.message_id)
        return found

    def by(self, column: str, values: Iterable[str]) -> dict[str, set[str]]:
        """Return which sides the messages with each value of a column (thread_id, author, ...) are on."""
        key = messages.c[column]
        found: dict[str, set[str]] = {}
        with self._database.reading() as connection:
            for part in chunked([value for value in dict.fromkeys(values) if value]):
                query = select(key, messages.c.side).where(key.in_(part), _DRAWN).distinct()
                for value, side in connection.execute(query):
                    found.setdefault(value, set()).add(side)
        return found

    def save(self, placed: Iterable[Placed]) -> None:
        """Store sides; a message that has one keeps it."""
        items = list(placed)
        statement = (
            update(messages)
            .where(messages.c.id == bindparam("key"), messages.c.side == "")
            .values(side=bindparam("to_side"), near_group=bindparam("to_group"))
        )
        with self._database.writing() as connection:
            if items:
                values = [{"key": one.message_id, "to_side": one.side, "to_group": one.near_group} for one in items]
                connection.execute(statement, values)
            self.band({one.message_id: one.bands for one in items})

    def band(self, keys: Mapping[str, Iterable[int]]) -> None:
        """Store the bands under which messages shall be found."""
        rows = [{"band": band, "message_id": message_id} for message_id, of in keys.items() for band in set(of)]
        self._database.insert_new(bands, rows)

    def heirs(self, ids: Iterable[str]) -> set[str]:
        """Return the first other message of each near-duplicate group that loses one of these messages."""
        keys = set(ids)
        mine = select(messages.c.near_group).where(messages.c.near_group != "")
        first: dict[str, str] = {}
        with self._database.reading() as connection:
            for part in chunked(sorted(keys)):
                groups = mine.where(messages.c.id.in_(part))
                query = select(messages.c.id, messages.c.near_group).where(messages.c.near_group.in_(groups))
                for row in connection.execute(query.order_by(messages.c.seq)):
                    if row.id not in keys:
                        first.setdefault(row.near_group, row.id)
        return set(first.values())
