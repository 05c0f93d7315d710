"""The first schema: texts, events, decisions, selections, tombstones and taxonomies."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and the triggers that keep label events as they are."""
    _make_texts()
    _make_events()
    _make_decisions()
    _make_marks()
    _forbid_changes("label_events")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default="")


def _sequence() -> sa.Column[int]:
    return sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _make_texts() -> None:
    op.create_table(
        "messages",
        _sequence(),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("text", sa.Text, nullable=False),
        _words("channel"),
        _words("author"),
        sa.Column("time", _TIME),
        _words("thread_id"),
        _words("parent_id"),
        sa.Column("parent_text", sa.Text, nullable=False, server_default=""),
        _words("customer_id"),
        _words("source"),
        sa.Column("added_at", _TIME, nullable=False),
        _words("side"),
        _words("near_group"),
        sqlite_autoincrement=True,
    )
    for column in ("author", "thread_id", "parent_id", "customer_id", "source", "near_group"):
        _index("messages", column)
    op.create_table(
        "bands",
        sa.Column("band", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.String, primary_key=True),
    )
    _index("bands", "message_id")


def _make_events() -> None:
    op.create_table(
        "label_events",
        _sequence(),
        sa.Column("key", sa.String, nullable=False, unique=True),
        _key("message_id"),
        _key("kind"),
        _words("label"),
        sa.Column("second", sa.JSON, nullable=False),
        _key("annotator"),
        _key("origin"),
        _words("subject"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("seconds", sa.Float),
        _words("model_version"),
        _words("model_label"),
        sa.Column("model_confidence", sa.Float),
        _key("taxonomy_version"),
        sqlite_autoincrement=True,
    )
    _index("label_events", "message_id")
    op.create_table(
        "notes",
        sa.Column("event_key", sa.String, primary_key=True),
        _key("message_id"),
        sa.Column("note", sa.Text, nullable=False),
    )
    _index("notes", "message_id")


def _make_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.String, primary_key=True),
        _key("message_id"),
        sa.Column("at", _TIME, nullable=False),
        _key("label"),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("scores", sa.JSON, nullable=False),
        _key("outcome"),
        _words("reason"),
        _key("model_version"),
        _key("taxonomy_version"),
        _words("playbook_version"),
        _words("request_id"),
        sa.Column("extra", sa.JSON, nullable=False),
    )
    _index("decisions", "at")
    _index("decisions", "message_id", "at")
    op.create_table(
        "selections",
        sa.Column("batch", sa.String, primary_key=True),
        sa.Column("message_id", sa.String, primary_key=True),
        _key("strategy"),
        _words("reason"),
        _words("stratum"),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("probability", sa.Float),
        sa.Column("at", _TIME, nullable=False),
    )
    _index("selections", "message_id")


def _make_marks() -> None:
    op.create_table(
        "tombstones",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_table(
        "taxonomies",
        _sequence(),
        sa.Column("version", sa.String, nullable=False, unique=True),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("mapping", sa.JSON, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sqlite_autoincrement=True,
    )


def _forbid_changes(table: str) -> None:
    """Have the database itself refuse to change or delete a row, whoever asks."""
    said = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
