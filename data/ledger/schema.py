"""The ledger's tables as they are now; `migrations/` says how they came about, and a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISIONS = ("0001", "0002")  # every schema this code can bring up to date; the last one is what it needs


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept in UTC and read back aware; one without a zone is taken as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment as the database keeps it; SQLite has no zones."""
        if value is None:
            return None
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()
_Sequence = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself only in an INTEGER key


def _words(name: str, default: str = "", **options: Any) -> Column[str]:
    return Column(name, String, nullable=False, server_default=default, **options)


messages = Table(
    "messages",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("text", Text, nullable=False),
    _words("channel"),
    _words("author", index=True),
    Column("time", UtcDateTime),
    _words("thread_id", index=True),
    _words("parent_id", index=True),
    Column("parent_text", Text, nullable=False, server_default=""),
    _words("customer_id", index=True),
    _words("source", index=True),
    Column("added_at", UtcDateTime, nullable=False),
    _words("side"),  # "", train, test or quarantined; drawn once, never moved
    _words("near_group", index=True),  # the id of the first message of its near-duplicate group
    sqlite_autoincrement=True,
)

bands = Table(  # locality-sensitive hashes of the messages that have a side: how near duplicates are found again
    "bands",
    metadata,
    Column("band", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", String, primary_key=True, index=True),
)

label_events = Table(
    "label_events",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("message_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    _words("label"),
    Column("second", JSON, nullable=False),
    Column("annotator", String, nullable=False),
    Column("origin", String, nullable=False),
    _words("subject"),
    Column("at", UtcDateTime, nullable=False),
    Column("seconds", Float),
    _words("model_version"),
    _words("model_label"),
    Column("model_confidence", Float),
    Column("taxonomy_version", String, nullable=False),
    _words("batch"),
    sqlite_autoincrement=True,
)

notes = Table(  # free text of labelers may quote the message, so it is erased with it
    "notes",
    metadata,
    Column("event_key", String, primary_key=True),
    Column("message_id", String, nullable=False, index=True),
    Column("note", Text, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", String, primary_key=True),
    Column("message_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("label", String, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("scores", JSON, nullable=False),
    Column("outcome", String, nullable=False),
    _words("reason"),
    Column("model_version", String, nullable=False),
    Column("taxonomy_version", String, nullable=False),
    _words("playbook_version"),
    _words("request_id"),
    Column("extra", JSON, nullable=False),
    Index("ix_decisions_message_id_at", "message_id", "at"),
)

selections = Table(
    "selections",
    metadata,
    Column("batch", String, primary_key=True),
    Column("message_id", String, primary_key=True, index=True),
    Column("strategy", String, nullable=False),
    _words("reason"),
    _words("stratum"),
    Column("blind", Boolean, nullable=False),
    Column("probability", Float),
    Column("at", UtcDateTime, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("kind", String, primary_key=True),  # message or author
    Column("digest", String, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

taxonomies = Table(
    "taxonomies",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("version", String, nullable=False, unique=True),
    Column("labels", JSON, nullable=False),
    Column("mapping", JSON, nullable=False),  # label of the version before -> label of this one, or null: dropped
    Column("at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)
