"""Bringing a database to the schema this code needs, once, whoever comes first."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from data.ledger.engine import Database
from data.ledger.errors import LedgerError, address
from data.ledger.schema import REVISIONS

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def bring_up_to_date(database: Database) -> None:
    """Migrate under a lock unless the schema is right; refuse one that newer code wrote."""
    with database.reading() as connection:
        if _revision(connection, database) == REVISIONS[-1]:
            return
    # The loser of a race waits here, looks again and finds nothing to do.
    with database.writing_alone() as connection:
        if _revision(connection, database) != REVISIONS[-1]:
            upgrade(connection)


def _revision(connection: Connection, database: Database) -> str | None:
    """Return the schema's revision, None for an empty database; anything unknown is refused."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if "label_events" in tables or "messages" in tables:
            raise LedgerError(
                f"the ledger {address(database.url)}: has tables but no schema version; name another database"
            )
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise LedgerError(
            f"the ledger {address(database.url)}: its schema {found!r} is newer than this version of Switchboard "
            f"knows (up to {REVISIONS[-1]!r}); upgrade Switchboard, or name another database"
        )
    return found


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Apply the migrations up to a revision, in the transaction of this connection."""
    from alembic import command  # only a first start needs it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
