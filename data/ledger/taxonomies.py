"""Which taxonomy the ledger's labels belong to, and how labels of earlier versions read today."""

from datetime import UTC, datetime

from sqlalchemy import select

from configs.errors import SwitchboardError
from configs.taxonomy import NONE, Taxonomy
from data.ledger.engine import Database
from data.ledger.schema import taxonomies

Mapping = dict[str, str | None]  # label before -> label now, None: no label any more


class Taxonomies:
    """The versions in the order they were adopted; the last one is in force."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> str | None:
        """Return the version in force, None before the first label."""
        with self._database.reading() as connection:
            return connection.execute(select(taxonomies.c.version).order_by(taxonomies.c.seq.desc()).limit(1)).scalar()

    def require(self, taxonomy: Taxonomy) -> None:
        """Adopt the first taxonomy there is; refuse another than the one in force, with the way forward."""
        statement = select(taxonomies.c.version, taxonomies.c.labels).order_by(taxonomies.c.seq.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
        if row is None:
            self._insert(taxonomy, {})
        elif row.version != taxonomy.version:
            raise SwitchboardError(
                f"the ledger's labels are of taxonomy {row.version!r}, the configured one is {taxonomy.version!r}; "
                "write a mapping file and run: switchboard data migrate MAPPING"
            )
        elif list(row.labels) != list(taxonomy.labels):
            raise SwitchboardError(
                f"taxonomy {taxonomy.version!r} has other labels than when the ledger adopted it "
                f"({', '.join(row.labels)}); give the changed one a new version and run: switchboard data migrate MAPPING"
            )

    def adopt(self, taxonomy: Taxonomy, mapping: Mapping) -> None:
        """Put a new version in force, with what becomes of each label of the one before; a known version is refused."""
        if not self._insert(taxonomy, mapping):
            raise SwitchboardError(
                f"taxonomy {taxonomy.version!r} was adopted before; give the new one another version"
            )

    def labels(self, version: str) -> tuple[str, ...] | None:
        """Return the labels of an adopted version."""
        with self._database.reading() as connection:
            found = connection.execute(select(taxonomies.c.labels).where(taxonomies.c.version == version)).scalar()
        return tuple(found) if found is not None else None

    def translations(self) -> dict[str, Mapping]:
        """Return for each adopted version what its labels read as in the version in force."""
        with self._database.reading() as connection:
            rows = connection.execute(select(taxonomies).order_by(taxonomies.c.seq)).all()
        result: dict[str, Mapping] = {}
        today: Mapping = {}
        step: Mapping = {}
        for row in reversed(rows):
            labels = (*row.labels, NONE)
            today = {label: _follow(label, step, today) if result else label for label in labels}
            step = row.mapping
            result[row.version] = today
        return result

    def _insert(self, taxonomy: Taxonomy, mapping: Mapping) -> int:
        row = {
            "version": taxonomy.version,
            "labels": list(taxonomy.labels),
            "mapping": mapping,
            "at": datetime.now(UTC),
        }
        return self._database.insert_new(taxonomies, [row])


def _follow(label: str, step: Mapping, today: Mapping) -> str | None:
    """Return what a label reads as in force: a step to the version after its own, then on from there."""
    moved = step.get(label, label)
    return None if moved is None else today.get(moved)
