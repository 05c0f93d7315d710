"""The decision log on a real PostgreSQL: written in batches, and nothing lost while the server is gone."""

import psycopg
import pytest

from data.ledger import open_ledger
from serving.decision_log import DecisionLog
from serving.ledger_writer import LedgerWriter
from serving.metrics import Metrics
from serving.records import DecisionRecord, Logged
from serving.spill import Spill
from tests.log_records import NOW, record, value
from tests.postgres import Server
from tests.serving import classify, running, wait_until


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.create()


def test_decisions_are_written_many_in_one_transaction(url, tmp_path):
    metrics, writer = Metrics(), LedgerWriter(lambda: open_ledger(url))
    log = DecisionLog(writer, Spill(tmp_path, 1 << 20), metrics, queue=1000)
    log.put([record(n) for n in range(700)])
    log.start()
    wait_until(lambda: value(metrics, "log_written_total") == 700, 60)
    log.stop()
    writer.close()
    with psycopg.connect(url) as connection:
        wrote = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM decisions").fetchone()
    assert wrote == (700, 2)


def test_a_server_that_goes_and_comes_back_gets_every_decision_and_correction(
    url, postgres, tiny_bundle, tmp_path, monkeypatch
):
    monkeypatch.setattr("serving.decision_log.FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr("serving.decision_log.LONGEST_PAUSE_S", 0.05)
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", url)
    with running(tiny_bundle, monkeypatch, tmp_path) as client:

        def decide(part: str) -> list[str]:
            answers = [classify(client, *[f"broken {part} {n} {k}" for k in range(5)]) for n in range(20)]
            return [row["decision_id"] for answer in answers for row in answer.json()["results"]]

        def counted(name: str) -> float:
            page = client.get("/metrics").text
            return float(next(line for line in page.splitlines() if line.startswith(f"switchboard_{name} ")).split()[1])

        made = decide("before")
        wait_until(lambda: counted("log_written_total") == 100, 60)
        with postgres.away():
            made += decide("meanwhile")
            said = {"decision_id": made[0], "label": "lead", "annotator": "ann"}
            assert client.post("/feedback", json=said).status_code == 200
            wait_until(lambda: counted("log_spilled_total") >= 101)
        made += decide("after")
        wait_until(lambda: counted("log_written_total") >= 301, 60)
        assert counted("log_lost_total") == 0
    with open_ledger(url) as ledger:
        assert len(made) == 300 and set(ledger.decisions.get(made)) == set(made)
        corrected = ledger.decisions.get(made[:1])[made[0]].message_id
        assert [stored.event.label for stored in ledger.events.of([corrected])[corrected]] == ["lead"]
    assert not Spill(tmp_path / "spill", 1)


def test_a_value_that_postgresql_refuses_holds_up_no_other_decision(url):
    broken = Logged(id="d-9", message_id="m-9", at=NOW, label="praise", confidence=0.9, scores={"praise": float("nan")}, outcome="auto", model_version="1", taxonomy_version="1")  # fmt: skip
    writer = LedgerWriter(lambda: open_ledger(url))
    writer.write([record(1), DecisionRecord(broken, record(9).message), record(2)])
    assert set(writer.ledger().decisions.get(["d-1", "d-2", "d-9"])) == {"d-1", "d-2"}
    writer.close()
