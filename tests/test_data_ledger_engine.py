"""Databases that are shared, locked, damaged or wrong."""

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from data.ledger import LabelEvent, Ledger, LedgerError, engine, open_ledger
from data.ledger.engine import connect
from data.ledger.migrate import MIGRATIONS, upgrade
from data.ledger.schema import REVISIONS, metadata
from tests.postgres import Server

_WRITER = """
import sys
from data.ledger import LabelEvent, open_ledger
from data.messages import Message
url, name = sys.argv[1:]
ledger = open_ledger(url)
for number in range(40):
    ledger.messages.add([Message("hello", f"m-{number}"), Message("mine", f"{name}-{number}")])
    ledger.events.append([LabelEvent(key=key, message_id="m", label="praise", annotator=name, origin="labeler")
                          for key in (f"shared-{number}", f"{name}-{number}")])
"""


def test_the_migrations_make_the_tables_that_the_code_expects(ledger: Ledger):
    with ledger.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_migration_is_known_to_the_code():
    found = [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_a_ledger_of_an_earlier_schema_keeps_what_was_said(ledger_url: str):
    """Written as the first schema has it, read by the code of today."""
    database = connect(ledger_url)
    with database.writing_alone() as connection:
        upgrade(connection, REVISIONS[0])
        row = {"key": "k", "message_id": "m", "kind": "label", "label": "praise", "second": "[]", "annotator": "ann",
               "origin": "labeler", "at": "2026-01-01 00:00:00", "taxonomy_version": "1"}  # fmt: skip
        names = ", ".join(row)
        connection.execute(text(f"INSERT INTO label_events ({names}) VALUES (:{names.replace(', ', ', :')})"), row)
    database.close()
    with open_ledger(ledger_url) as ledger:
        ledger.events.append(
            [LabelEvent(key="n", message_id="m", label="spam", annotator="bob", origin="labeler", batch="b")]
        )
        assert [(one.event.label, one.event.batch) for one in ledger.events.all()] == [("praise", ""), ("spam", "b")]
        with pytest.raises(Exception, match="append-only"), ledger.database.writing() as connection:
            connection.execute(text("UPDATE label_events SET batch = 'c'"))


def test_several_processes_open_and_write_at_once_without_loss(ledger_url: str):
    command = [sys.executable, "-c", _WRITER, ledger_url]
    writers = [subprocess.Popen([*command, name], stderr=subprocess.PIPE) for name in ("a", "b", "c")]
    assert [writer.communicate()[1].decode() for writer in writers] == ["", "", ""]
    with open_ledger(ledger_url) as ledger:
        assert len(list(ledger.messages.all())) == 4 * 40
        assert len(list(ledger.events.all())) == 4 * 40


def test_a_locked_database_says_so(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    open_ledger(sqlite_url).close()
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with open_ledger(sqlite_url) as ledger, pytest.raises(LedgerError, match=r"another process holds it"):
        ledger.tombstones.add("message", ["m-1"])
    holder.close()


def test_a_full_database_says_so_and_keeps_what_was_there(sqlite_url: str):
    with open_ledger(sqlite_url) as ledger:
        ledger.tombstones.add("message", ["m-1"])
        with ledger.database.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(LedgerError, match="free some space"):
            ledger.tombstones.add("message", (f"m-{number}" for number in range(100_000)))
        assert ledger.tombstones.among("message", ["m-1", "m-7"]) == {"m-1"}


def test_a_file_that_is_no_database_says_so(tmp_path: Path):
    (tmp_path / "ledger.db").write_bytes(b"text, not a database; long enough to have a header" * 50)
    with pytest.raises(LedgerError, match=r"ledger\.db.*not an SQLite database"):
        open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(LedgerError, match="cannot be made"):
        open_ledger(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://host/x", "use sqlite or postgresql"),
        ("nonsense", "is no database URL"),
        ("sqlite://", "needs a file"),
        ("postgresql://ann:geheim@127.0.0.1:1/x", "start it, or correct the address"),
    ],
)
def test_a_wrong_address_is_one_clear_line_without_the_password(url: str, said: str):
    with pytest.raises(LedgerError) as caught:
        open_ledger(url)
    assert said in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


def _watched(address: str) -> list[int]:
    """Return what the kernel does for a connection: seconds idle and between probes, probes, ms unanswered."""
    with open_ledger(address) as ledger, ledger.database.reading() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        with socket.socket(fileno=os.dup(driver.fileno())) as tcp:
            assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            return [tcp.getsockopt(socket.IPPROTO_TCP, name) for name in names]


def test_a_postgresql_host_that_vanishes_is_noticed_within_half_a_minute(postgres: Server):
    idle, between, probes, unanswered = _watched(postgres.create())
    assert 0 < idle + between * probes <= 30
    assert 0 < unanswered <= 30_000


def test_the_urls_own_patience_prevails(postgres: Server):
    assert _watched(f"{postgres.create()}?keepalives_idle=77&tcp_user_timeout=60000") == [77, 5, 3, 60_000]


@pytest.mark.parametrize(("query", "waits"), [("", "10"), ("?connect_timeout=3", "3")])
def test_connecting_waits_ten_seconds_or_what_the_url_says(postgres: Server, query: str, waits: str):
    with open_ledger(postgres.create() + query) as ledger, ledger.database.reading() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None and driver.info.get_parameters()["connect_timeout"] == waits


def test_a_missing_postgresql_is_a_skip_by_hand_and_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch):
    from tests import ledgers

    monkeypatch.setattr(ledgers, "find_binaries", lambda: None)
    start = ledgers.postgres.__wrapped__
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install postgresql"):
        next(start())
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not installed"):
        next(start())
