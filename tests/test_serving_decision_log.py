"""The decision log: off the request path, nothing lost while the database is away, hangs or refuses."""

import threading
from datetime import UTC, datetime

import pytest

from data.ledger import LedgerError, open_ledger
from serving.decision_log import DecisionLog
from serving.ledger_writer import LedgerWriter
from serving.metrics import Metrics
from serving.records import Written
from serving.spill import Spill
from tests.log_records import correction, record, value
from tests.serving import wait_until


class Database:
    """A database that may be taken away."""

    def __init__(self) -> None:
        self.written: list = []
        self.away = False
        self.hangs = threading.Event()
        self.hangs.set()

    def write(self, records) -> Written:
        self.hangs.wait(20)
        if self.away:
            raise LedgerError("taken away")
        self.written.extend(records)
        return Written()


@pytest.fixture
def parts(tmp_path):
    database, metrics = Database(), Metrics()
    spill = Spill(tmp_path, 1 << 26)
    return database, metrics, DecisionLog(database, spill, metrics, queue=1000), spill


def test_what_is_put_is_written(parts):
    database, metrics, log, _ = parts
    log.start()
    log.put([record(n) for n in range(700)])
    wait_until(lambda: len(database.written) == 700)
    log.stop()
    assert value(metrics, "log_written_total") == 700


def test_a_database_taken_away_spills_and_given_back_gets_it_all(parts, monkeypatch):
    monkeypatch.setattr("serving.decision_log.FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr("serving.decision_log.LONGEST_PAUSE_S", 0.05)
    database, metrics, log, spill = parts
    database.away = True
    log.start()
    log.put([record(n) for n in range(50)])
    wait_until(lambda: value(metrics, "log_spilled_total") == 50)
    assert spill
    database.away = False
    wait_until(lambda: len(database.written) == 50)
    log.stop()
    assert not spill
    assert [one.decision.id for one in database.written] == [f"d-{n}" for n in range(50)]


def test_a_database_that_hangs_does_not_fill_the_memory(parts):
    database, metrics, log, _ = parts
    database.hangs.clear()
    log.start()
    for start in range(0, 5000, 100):
        log.put([record(n) for n in range(start, start + 100)])
        wait_until(lambda: len(log) <= 1000)
    database.hangs.set()
    log.stop()
    assert value(metrics, "log_spilled_total") + len(database.written) >= 5000
    assert value(metrics, "log_lost_total") == 0


def test_stopping_loses_nothing(parts):
    database, _, log, spill = parts
    log.start()
    database.away = True
    log.put([record(n) for n in range(10)])
    log.stop()
    assert [one.decision.id for batch in spill.batches() for one in batch] == [f"d-{n}" for n in range(10)]


def test_stopping_beside_a_database_that_hangs_spills_all_and_returns(parts, monkeypatch):
    monkeypatch.setattr("serving.decision_log.STOP_S", 0.2)
    database, metrics, log, spill = parts
    database.hangs.clear()
    log.put([record(n) for n in range(700)])
    log.start()
    wait_until(lambda: len(log) == 200)
    log.stop()
    assert [one.decision.id for batch in spill.batches() for one in batch] == [f"d-{n}" for n in range(700)]
    assert value(metrics, "log_lost_total") == 0
    database.hangs.set()


def test_what_finds_queue_and_spill_full_is_counted_as_lost_once(tmp_path):
    database, metrics = Database(), Metrics()
    database.hangs.clear()
    log = DecisionLog(database, Spill(tmp_path, 0), metrics, queue=100)
    log.put([record(n) for n in range(250)])
    assert (len(log), value(metrics, "log_lost_total")) == (200, 50)
    database.away = True
    database.hangs.set()
    log.start()
    wait_until(lambda: value(metrics, "log_lost_total") == 250)
    log.stop()
    assert [value(metrics, f"log_{name}_total") for name in ("lost", "spilled", "written")] == [250, 0, 0]


def test_what_the_database_refuses_is_counted_as_lost_and_not_as_written(sqlite_url, tmp_path):
    metrics, spill = Metrics(), Spill(tmp_path, 1 << 20)
    spill.append([record(1), correction(1, label="no such label")])
    writer = LedgerWriter(lambda: open_ledger(sqlite_url))
    writer.ledger()
    log = DecisionLog(writer, spill, metrics, queue=100)
    log.put([correction(2, label="no such label", message_id="m-2"), record(2)])
    log.start()
    wait_until(lambda: value(metrics, "log_written_total") == 2)
    wait_until(lambda: not len(log))
    log.stop()
    assert [value(metrics, f"log_{name}_total") for name in ("lost", "spilled", "written")] == [2, 0, 2]
    writer.close()


def test_a_refusal_read_again_from_the_spill_is_counted_once(tmp_path, monkeypatch):
    monkeypatch.setattr("serving.decision_log.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("serving.decision_log.LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr("serving.spill.CHUNK", 1)
    metrics, spill, asked = Metrics(), Spill(tmp_path, 1 << 20), []

    class Refusing:
        def write(self, records) -> Written:
            asked.append(records)
            if len(asked) == 2:
                raise LedgerError("taken away after the first batch")
            return Written(1)

    spill.append([record(1), record(2)])
    log = DecisionLog(Refusing(), spill, metrics, queue=100)
    log.start()
    wait_until(lambda: not spill)
    log.stop()
    assert (len(asked), value(metrics, "log_lost_total")) == (4, 2)


def test_a_spill_that_cannot_be_read_back_does_not_end_the_log(parts, tmp_path):
    database, _, log, spill = parts
    spill.append([record(1)])
    (tmp_path / "decisions.returning.jsonl").mkdir()  # reading it is an error of the disk, whoever asks
    log.start()
    log.put([record(2)])
    wait_until(lambda: len(database.written) == 1)
    log.put([record(3)])
    wait_until(lambda: len(database.written) == 2)
    log.stop()


def test_a_correction_whose_decision_another_process_spilled_is_written_after_it(ledger_url, tmp_path, monkeypatch):
    monkeypatch.setattr("serving.decision_log.LONGEST_PAUSE_S", 0.01)
    metrics, spill, writer = Metrics(), Spill(tmp_path, 1 << 20), LedgerWriter(lambda: open_ledger(ledger_url))
    log = DecisionLog(writer, spill, metrics, queue=100)
    log.start()
    log.put([correction(1, at=datetime.now(UTC))])
    wait_until(lambda: bool(spill))
    with open_ledger(ledger_url) as ledger:
        LedgerWriter(lambda: ledger).write([record(1)])
    wait_until(lambda: not spill)
    log.stop()
    assert [value(metrics, f"log_{name}_total") for name in ("lost", "spilled", "written")] == [0, 0, 1]
    writer.close()
