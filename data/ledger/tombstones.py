"""Who and what was forgotten, as digests: enough to refuse it again, not to know it."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select

from data.ledger.engine import Database, chunked
from data.ledger.schema import tombstones

MESSAGE, AUTHOR = "message", "author"


class Tombstones:
    """The digests of forgotten message ids and authors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: str, names: Iterable[str]) -> int:
        """Remember that these were forgotten, and return how many were not yet."""
        now = datetime.now(UTC)
        rows = [{"kind": kind, "digest": digest(kind, name), "at": now} for name in sorted(set(names))]
        return self._database.insert_new(tombstones, rows)

    def among(self, kind: str, names: Iterable[str]) -> set[str]:
        """Return which of the names were forgotten."""
        if not self._any():
            return set()
        by_digest = {digest(kind, name): name for name in set(names) if name}
        found: set[str] = set()
        with self._database.reading() as connection:
            for part in chunked(list(by_digest)):
                where = (tombstones.c.kind == kind) & tombstones.c.digest.in_(part)
                found.update(
                    by_digest[row.digest] for row in connection.execute(select(tombstones.c.digest).where(where))
                )
        return found

    def _any(self) -> bool:
        with self._database.reading() as connection:
            return connection.execute(select(tombstones.c.kind).limit(1)).first() is not None


def digest(kind: str, name: str) -> str:
    """Return what a tombstone keeps of a name."""
    return hashlib.sha256(f"{kind}:{name}".encode("utf-8", "replace")).hexdigest()
