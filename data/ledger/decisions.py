"""The decision log: what was answered, by which versions; texts stand in `messages`, here are keys."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select

from data.ledger.engine import Database, chunked
from data.ledger.schema import decisions

FILE_CALLER = "label next"  # of decisions on a file's messages, which are asked for to choose what to label


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One answer as it was given; `extra` takes what else it carried (route, rules, first stage), never a text."""

    id: str
    message_id: str
    at: datetime
    label: str
    confidence: float
    scores: Mapping[str, float]
    outcome: str
    model_version: str
    taxonomy_version: str
    reason: str = ""
    playbook_version: str = ""
    request_id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def came_in(self) -> bool:
        """Whether somebody sent the message to be answered, and not a file with it was read to choose what to label."""
        return self.extra.get("caller") != FILE_CALLER


_COLUMNS = tuple(item.name for item in fields(Decision))


class Decisions:
    """Decisions by id and time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, items: Iterable[Decision]) -> int:
        """Append the decisions whose id is new and return how many they were."""
        return self._database.insert_new(decisions, [_to_row(item) for item in items])

    def get(self, ids: Iterable[str]) -> dict[str, Decision]:
        """Return the decisions that are there, by id."""
        found = {}
        with self._database.reading() as connection:
            for part in chunked(list(dict.fromkeys(ids))):
                rows = connection.execute(select(decisions).where(decisions.c.id.in_(part)))
                found.update({row.id: _from_row(row) for row in rows})
        return found

    def of(self, message_ids: Iterable[str]) -> dict[str, list[Decision]]:
        """Return the decisions on these messages, oldest first; messages without any are left out."""
        found: dict[str, list[Decision]] = {}
        with self._database.reading() as connection:
            for part in chunked(list(dict.fromkeys(message_ids))):
                query = select(decisions).where(decisions.c.message_id.in_(part))
                for row in connection.execute(query.order_by(decisions.c.at, decisions.c.id)):
                    found.setdefault(row.message_id, []).append(_from_row(row))
        return found

    def all(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Decision]:
        """Yield the decisions from `since` up to and without `until`, oldest first, in bounded memory."""
        time, key = decisions.c.at, decisions.c.id
        query = select(decisions).order_by(time, key).limit(2000)
        if until:
            query = query.where(time < until)
        page = query.where(time >= since) if since else query
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(page).all()
            if not rows:
                return
            yield from map(_from_row, rows)
            last = rows[-1]
            page = query.where(or_(time > last.at, and_(time == last.at, key > last.id)))

    def count(self) -> int:
        """Return how many decisions there are."""
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(decisions)).scalar_one()

    def delete_before(self, at: datetime) -> int:
        """Delete decisions older than the retention time and return how many they were."""
        with self._database.writing() as connection:
            return connection.execute(delete(decisions).where(decisions.c.at < at)).rowcount


def _to_row(decision: Decision) -> dict[str, Any]:
    row = {name: getattr(decision, name) for name in _COLUMNS}
    return row | {"scores": dict(decision.scores), "extra": dict(decision.extra)}


def _from_row(row: Any) -> Decision:
    return Decision(**{name: getattr(row, name) for name in _COLUMNS})
