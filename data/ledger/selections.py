"""Why each message was chosen for labelling; this stays here and is never shown to a labeler."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from data.ledger.engine import Database, chunked
from data.ledger.schema import selections


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One choice; `blind`: the labeler sees no prediction; `probability`: of being drawn, for unbiased estimates."""

    message_id: str
    batch: str
    strategy: str
    reason: str = ""
    stratum: str = ""
    blind: bool = False
    probability: float | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Selections:
    """Selections by batch and message."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, items: Iterable[Selection]) -> int:
        """Append the selections that are new to their batch and return how many they were."""
        return self._database.insert_new(selections, [asdict(item) for item in items])

    def all(self, *, batch: str = "") -> Iterator[Selection]:
        """Yield the selections, of one batch if given, in the order they were made."""
        query = select(selections).order_by(selections.c.at, selections.c.batch, selections.c.message_id)
        if batch:
            query = query.where(selections.c.batch == batch)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        yield from map(_from_row, rows)

    def of(self, message_ids: Iterable[str]) -> dict[str, list[Selection]]:
        """Return the selections of these messages, oldest first; messages never chosen are left out."""
        found: dict[str, list[Selection]] = {}
        with self._database.reading() as connection:
            for part in chunked(list(dict.fromkeys(message_ids))):
                query = select(selections).where(selections.c.message_id.in_(part)).order_by(selections.c.at)
                for row in connection.execute(query):
                    found.setdefault(row.message_id, []).append(_from_row(row))
        return found


def _from_row(row: Any) -> Selection:
    return Selection(**{item.name: getattr(row, item.name) for item in fields(Selection)})
