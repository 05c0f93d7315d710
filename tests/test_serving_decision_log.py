import os
import subprocess
import threading
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.clean import clean
from data.forgetting import forget_author
from data.ledger import Decision, LedgerError, open_ledger
from data.messages import Message
from serving.decision_log import DecisionLog
from serving.ledger_writer import LedgerWriter
from serving.metrics import Metrics
from serving.records import DecisionRecord, FeedbackRecord, Logged, from_line, to_line
from serving.retention import Retention
from serving.spill import Spill
from tests.serving import classify, running, wait_until

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def record(n: int, at: datetime = NOW, text: str = "mail me at a@b.example") -> DecisionRecord:
    decision = Logged(id=f"d-{n}", message_id=f"m-{n}", at=at, label="praise", confidence=0.9, scores={"praise": 0.9}, outcome="auto", model_version="1", taxonomy_version="1")  # fmt: skip
    return DecisionRecord(decision, Message(text, f"m-{n}", source="service", time=at))


def correction(n: int, label: str = "abuse", **fields) -> FeedbackRecord:
    values = {
        "key": f"fb:{n}:{label}",
        "decision_id": f"d-{n}",
        "message_id": "",
        "label": label,
        "annotator": "crm:ann",
        "at": NOW,
    }
    return FeedbackRecord(**{**values, **fields})


class Database:
    """A database that may be taken away."""

    def __init__(self) -> None:
        self.written: list = []
        self.away = False
        self.hangs = threading.Event()
        self.hangs.set()

    def write(self, records) -> int:
        self.hangs.wait(20)
        if self.away:
            raise LedgerError("taken away")
        self.written.extend(records)
        return 0


def value(metrics: Metrics, name: str) -> float:
    return metrics.registry.get_sample_value(f"switchboard_{name}") or 0.0


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
        def write(self, records) -> int:
            asked.append(records)
            if len(asked) == 2:
                raise LedgerError("taken away after the first batch")
            return 1

    spill.append([record(1), record(2)])
    log = DecisionLog(Refusing(), spill, metrics, queue=100)
    log.start()
    wait_until(lambda: not spill)
    log.stop()
    assert (len(asked), value(metrics, "log_lost_total")) == (4, 2)


def test_a_spilled_decision_of_a_forgotten_author_is_written_without_words(sqlite_url, tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHBOARD_VAR", str(tmp_path))
    spill = Spill(tmp_path / "spill", 1 << 20)
    stored, unknown = record(1, text="only in the ledger"), record(2, text="never written")
    by_grete = replace(unknown, message=replace(unknown.message, author="grete", parent_text="asked"))
    path = tmp_path / "spill" / "decisions.spill.jsonl"
    with open_ledger(sqlite_url) as ledger:
        ledger.messages.add([replace(stored.message, author="grete")])
        spill.append([by_grete, correction(1, message_id="m-1", note="says grete"), record(3)])
        size = path.stat().st_size
        assert forget_author(ledger, "grete").stores["spill files"] == 2
        assert forget_author(ledger, "grete").stores["spill files"] == 0
    assert path.stat().st_size == size, "its writer may be appending"
    assert not any(word in path.read_bytes() for word in (b"grete", b"never written", b"asked"))
    writer = LedgerWriter(lambda: open_ledger(sqlite_url))
    assert [writer.write(batch) for batch in spill.batches()] == [0]
    ledger = writer.ledger()
    assert ledger.decisions.get(["d-2"])["d-2"].scores == {"praise": 0.9} and ledger.decisions.count() == 2
    assert [(one.event.label, one.event.note) for one in ledger.events.of(["m-1"])["m-1"]] == [("abuse", "")]
    assert ledger.messages.known(["m-1", "m-2", "m-3"]) == {"m-3"}
    writer.close()


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


def test_a_spill_that_was_interrupted_is_found_again_and_torn_lines_are_left_out(tmp_path):
    spill = Spill(tmp_path, 1 << 20)
    spill.append([record(1), correction(1)])
    next(spill.batches())  # stops in the middle, as a killed process does
    with (tmp_path / "decisions.returning.jsonl").open("ab") as file:
        file.write(to_line(record(2))[:40])
    again = Spill(tmp_path, 1 << 20)
    assert again
    assert [type(one).__name__ for batch in again.batches() for one in batch] == ["DecisionRecord", "FeedbackRecord"]
    assert not again


def test_a_line_torn_by_a_crash_does_not_take_the_next_one_with_it(tmp_path):
    spill = Spill(tmp_path, 1 << 20)
    spill.append([record(1), record(2)])
    path = tmp_path / "decisions.spill.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    spill.append([record(3), record(4)])
    assert [one.decision.id for batch in spill.batches() for one in batch] == ["d-1", "d-3", "d-4"]


def test_two_processes_share_a_spill_and_one_at_a_time_writes_back(tmp_path):
    ours, theirs = Spill(tmp_path, 1 << 20), Spill(tmp_path, 1 << 20)
    ours.append([record(1)])
    reading = ours.batches()
    first = next(reading)
    assert list(theirs.batches()) == [], "nothing is written back twice"
    theirs.append([record(2)])
    assert [one.decision.id for one in first] == ["d-1"] and list(reading) == []
    assert [one.decision.id for batch in theirs.batches() for one in batch] == ["d-2"], "nothing is lost between them"
    assert not ours


def test_the_spill_file_is_its_owners_and_bounded(tmp_path):
    spill = Spill(tmp_path, 2000)
    assert spill.append([record(1)])
    assert not spill.append([record(n) for n in range(20)])
    assert (tmp_path / "decisions.spill.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_counts_what_is_lost_and_leaves_no_half_line(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        spill = Spill(disk, 1 << 20)
        while spill.append([record(n) for n in range(5)]):
            pass
        lines = (disk / "decisions.spill.jsonl").read_bytes()
        assert lines.endswith(b"\n") and all(from_line(line) for line in lines.splitlines())
    finally:
        subprocess.run(["umount", disk], check=True)


def test_lines_keep_records_whole():
    for one in (record(1), correction(1, note="so\nit is")):
        assert from_line(to_line(one)) == one


def test_the_ledger_takes_decisions_once_and_corrections_by_what_they_say(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    for _ in range(2):
        writer.write([record(1), correction(1)])
    for label in ("praise", "praise", "abuse"):
        writer.write([correction(1, label)])
    writer.write([correction(7)])  # names no decision: logged, and the rest goes on
    with open_ledger(ledger_url) as ledger:
        assert ledger.decisions.count() == 1
        events = [stored.event for stored in ledger.events.of(["m-1"])["m-1"]]
    assert [event.label for event in events] == ["abuse", "praise", "abuse"]
    assert (events[0].model_label, events[0].model_version, events[0].origin) == ("praise", "1", "feedback")
    writer.close()


def test_corrections_that_come_twice_or_late_count_once_and_in_the_order_they_were_said(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    said = [correction(1, label, at=NOW + timedelta(minutes=n)) for n, label in enumerate(("abuse", "praise", "abuse"))]
    writer.write([record(1)])
    for one in (said[1], said[0], said[2], *said):  # one was live while another was spilled; then the spill comes again
        writer.write([one])
    with open_ledger(ledger_url) as ledger:
        events = sorted((stored.event for stored in ledger.events.of(["m-1"])["m-1"]), key=lambda event: event.at)
    assert [event.label for event in events] == ["abuse", "praise", "abuse"]
    writer.close()


def test_a_record_the_database_refuses_does_not_hold_up_the_others(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    writer.write([record(1), correction(1, label="no such label"), record(2)])
    assert writer.ledger().decisions.count() == 2
    writer.close()


def test_texts_past_their_window_are_masked_and_old_decisions_go(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    old = record(2, NOW - timedelta(days=40))
    quoting = replace(old, message=replace(old.message, parent_text="call 0171 4960 0158, says @ann"))
    writer.write([record(1, NOW - timedelta(days=400)), quoting, record(3, NOW)])
    ledger = writer.ledger()
    Retention(365, 30).keep(ledger, NOW)
    texts = [one.message.text for one in ledger.messages.get(["m-1", "m-2", "m-3"]).values()]
    assert sorted(texts) == ["mail me at [email]", "mail me at [email]", "mail me at a@b.example"]
    assert ledger.messages.get(["m-2"])["m-2"].message.parent_text == clean("call 0171 4960 0158, says @ann")
    assert set(ledger.decisions.get(["d-1", "d-2", "d-3"])) == {"d-2", "d-3"}
    writer.close()


def test_decisions_and_corrections_of_a_service_reach_the_ledger(tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.delenv("SWITCHBOARD_DATABASE_URL", raising=False)
    with running(tiny_bundle, monkeypatch, tmp_path) as client:
        row = classify(client, "my router is broken", id="m1", channel="twitter").json()["results"][0]
        said = {"decision_id": row["decision_id"], "label": "question", "annotator": "ann"}
        first, again = (client.post("/feedback", json=said) for _ in range(2))  # before the decision was written
        assert first.status_code == 200 and first.json()["feedback_id"] == again.json()["feedback_id"]
        assert (
            client.post("/feedback", json={"message_id": "m1", "label": "none", "annotator": "bob"}).status_code == 200
        )
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        decision = ledger.decisions.get([row["decision_id"]])[row["decision_id"]]
        events = [stored.event for stored in ledger.events.of(["m1"])["m1"]]
        assert ledger.messages.get(["m1"])["m1"].message.text == "my router is broken"
    assert (decision.label, decision.extra["team"], decision.extra["caller"]) == ("request", "technical", "local")
    assert [(event.label, event.annotator, event.model_label) for event in events] == [
        ("question", "local:ann", "request"), ("none", "local:bob", "request"),
    ]  # fmt: skip


@pytest.mark.parametrize(("body", "said"), [
    ({"decision_id": "d-unknown", "label": "praise"}, "no decision"),
    ({"message_id": "m1", "label": "nonsense"}, "unknown label"),
    ({"label": "praise"}, "either decision_id or message_id"),
    ({"decision_id": "a", "message_id": "b", "label": "praise"}, "either"),
    ({"message_id": "m1", "label": "praise", "else": 1}, "else"),
    ({"message_id": 7, "label": "praise"}, "message_id"),
    ([], "the body"),
])  # fmt: skip
def test_a_correction_that_cannot_be_right_is_refused(body, said, tiny_bundle, tmp_path, monkeypatch):
    with running(tiny_bundle, monkeypatch, tmp_path) as client:
        response = client.post("/feedback", json=body)
        expected = (404, "not_found") if said == "no decision" else (400, "invalid_request")
        assert (response.status_code, response.json()["error"]["type"]) == expected
        assert said in response.json()["error"]["message"]


def test_an_answer_never_waits_for_a_database_that_cannot_be_opened(tiny_bundle, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", f"sqlite:///{blocked}/ledger.db")
    with running(tiny_bundle, monkeypatch, tmp_path) as client:
        row = classify(client, "thanks").json()["results"][0]
        assert client.post("/feedback", json={"decision_id": row["decision_id"], "label": "lead"}).status_code == 200
        wait_until(lambda: "switchboard_log_spilled_total 2.0" in client.get("/metrics").text)
    assert len([one for batch in Spill(Path(tmp_path) / "spill", 1 << 20).batches() for one in batch]) == 2


def test_the_fields_logged_are_the_ledgers():
    assert [field.name for field in fields(Logged)] == [field.name for field in fields(Decision)]
