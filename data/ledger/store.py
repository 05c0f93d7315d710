"""Opening the ledger: the right schema, then its four parts over one database."""

from collections.abc import Iterator
from contextlib import contextmanager

from configs.paths import database_url
from data.ledger.decisions import Decisions
from data.ledger.engine import Database, connect
from data.ledger.events import Events
from data.ledger.messages import Messages
from data.ledger.migrate import bring_up_to_date
from data.ledger.selections import Selections
from data.ledger.sides import Sides
from data.ledger.taxonomies import Taxonomies
from data.ledger.tombstones import Tombstones


class Ledger:
    """What people wrote (`messages`), said of it (`events`), was decided (`decisions`) and chosen (`selections`)."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tombstones = Tombstones(database)
        self.messages = Messages(database, self.tombstones)
        self.taxonomies = Taxonomies(database)
        self.events = Events(database, self.taxonomies, self.tombstones)
        self.decisions = Decisions(database)
        self.selections = Selections(database)
        self.sides = Sides(database)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make every change within the block, by this thread, all or nothing."""
        with self.database.writing():
            yield

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_ledger(url: str | None = None) -> Ledger:
    """Return the ledger at a URL, else the configured one, made or migrated as needed; a newer schema is refused."""
    database = connect(url or database_url())
    bring_up_to_date(database)
    return Ledger(database)
