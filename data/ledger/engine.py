"""Connections: SQLite made safe under several processes, PostgreSQL by URL, and transactions that nest."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from data.ledger.errors import LedgerError, explained

K = TypeVar("K", str, int)

LOCK = 0x5357_4954  # the key of PostgreSQL's advisory lock: "SWIT"
BUSY_SECONDS = 30.0  # how long a writer waits for another before it gives up
CHUNK = 500  # keys in one `IN (...)`, rows in one round trip
# libpq's: a host that vanishes without a reset is noticed within half a minute, whether a query waits for its answer
# (keepalives: 10 s, then 3 probes 5 s apart) or is still on its way (tcp_user_timeout, in ms; the others in s).
_WATCHFUL = {"connect_timeout": 10, "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5,
             "keepalives_count": 3, "tcp_user_timeout": 25_000}  # fmt: skip


class Database:
    """One engine with its transactions; `writing` is all or nothing, and nests within one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url: URL = engine.url
        self._writer = engine.execution_options(writes=True)
        self._open = threading.local()

    @property
    def file(self) -> Path | None:
        """The file that SQLite keeps everything in; None where a server keeps it."""
        return Path(self.url.database) if self.url.database and self.engine.dialect.name == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state, or the open transaction's own."""
        if (current := getattr(self._open, "connection", None)) is not None:
            yield current
            return
        with explained(self.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together at the end, or not at all."""
        if (current := getattr(self._open, "connection", None)) is not None:
            yield current
            return
        with explained(self.url), self._writer.begin() as connection:
            self._open.connection = connection
            try:
                yield connection
            finally:
                self._open.connection = None

    @contextmanager
    def writing_alone(self) -> Iterator[Connection]:
        """Yield a connection like `writing`, while no other process is in here (on SQLite no writer ever has company)."""
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            yield connection

    def insert_new(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows whose key is not there yet and return how many they were."""
        if not rows:
            return 0
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table).on_conflict_do_nothing().returning(*table.primary_key)
        with self.writing() as connection:
            inserted = connection.execute(statement, [_storable_row(row) for row in rows]).all()
        return len(inserted)

    def purge(self) -> list[str]:
        """Have the database let go of deleted rows on its disk, and return what it may keep nevertheless."""
        statement = "VACUUM messages" if self.engine.dialect.name == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)"
        with explained(self.url), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)
        if self.engine.dialect.name == "postgresql":
            return ["PostgreSQL: its write-ahead log, replicas and backups keep old rows until they are recycled"]
        return ["SQLite: copies of the ledger made before, as backups, still hold it"]

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def chunked(keys: Sequence[K], size: int = CHUNK) -> Iterator[Sequence[K]]:
    """Yield the keys in pieces that fit one statement."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def storable(given: str) -> str:
    """Return a text that both databases can keep: NULs become U+FFFD, halves of surrogate pairs `?`."""
    kept = given.replace("\0", "\ufffd")
    return kept if kept.isascii() else kept.encode("utf-8", "replace").decode("utf-8")


def connect(address: str) -> Database:
    """Return the database at an SQLAlchemy URL (SQLite or PostgreSQL), not yet migrated."""
    try:
        url = make_url(address)
    except ArgumentError:
        raise LedgerError(
            f"{address!r} is no database URL; write sqlite:////path/ledger.db or postgresql://..."
        ) from None
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite":
        return Database(_sqlite(url))
    if backend in {"postgresql", "postgres"}:
        return Database(_postgresql(url.set(drivername="postgresql+psycopg")))
    raise LedgerError(f"the ledger cannot live in {backend!r}; use sqlite or postgresql")


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise LedgerError("the ledger needs a file; write sqlite:////path/ledger.db")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"{Path(url.database).parent}: cannot be made: {error.strerror}") from None
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader that turns writer fails at once when another wrote meanwhile; a writer must say so first.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    own = {name: value for name, value in _WATCHFUL.items() if name not in url.query}  # else ours would prevail
    try:
        return create_engine(url, pool_pre_ping=True, connect_args=own)
    except (ImportError, NoSuchModuleError):
        raise LedgerError("PostgreSQL needs its driver; run pip install 'psycopg[binary]'") from None


def _storable_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
