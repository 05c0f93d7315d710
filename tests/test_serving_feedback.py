"""Corrections: they reach the ledger, what cannot be right is refused, and no database that fails loses one."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.ledger import Decision, open_ledger
from data.messages import Message
from serving.decision_ids import new_decision_id
from serving.errors import ApiError
from serving.feedback import LOOKUPS, FeedbackDesk
from serving.records import FeedbackRecord
from serving.spill import Spill
from tests.log_records import record
from tests.serving import classify, running, wait_until


class Hanging:
    """A database that answers no look-up before it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def find(self, decision_id: str) -> str:
        self.go.wait(60)
        return "m-1"


@pytest.fixture
def database() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.go.set()


async def answer(desk: FeedbackDesk, number: int) -> bool:
    return (await desk.take({"decision_id": f"d-{number}", "label": "praise"}, "crm"))["accepted"]


def lookups() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "decision-lookup"]


def test_a_database_that_hangs_holds_few_threads_and_no_caller_for_long(database, monkeypatch):
    monkeypatch.setattr("serving.feedback.LOOKUP_S", 0.2)
    put: list[FeedbackRecord] = []
    desk = FeedbackDesk(put.extend, database.find)

    async def hang_then_recover() -> None:
        assert all(await asyncio.gather(*(answer(desk, number) for number in range(3 * LOOKUPS))))
        assert len(lookups()) == LOOKUPS
        assert all(thread.daemon for thread in lookups()), "the process must end although the database hangs"
        assert await asyncio.to_thread(lambda: "free") == "free", "others' threads are not held"
        assert [record.message_id for record in put] == [""] * 3 * LOOKUPS
        database.go.set()
        for thread in lookups():
            await asyncio.to_thread(thread.join, 20)
        monkeypatch.setattr("serving.feedback.LOOKUP_S", 60.0)
        assert await answer(desk, 1)

    asyncio.run(hang_then_recover())
    assert put[-1].message_id == "m-1"


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


def test_a_correction_of_another_replicas_decision_waits_for_it(tiny_bundle, tmp_path, monkeypatch):
    """Both write to one ledger; the one that is corrected has not heard of the decision when the correction comes."""
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    late = new_decision_id(datetime.now(UTC))
    with running(tiny_bundle, monkeypatch, tmp_path) as client:
        said = {"decision_id": late, "label": "praise", "annotator": "ann"}
        assert client.post("/feedback", json=said).status_code == 200
    assert late in (tmp_path / "spill" / "decisions.spill.jsonl").read_text(), "it waits on disk"
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        ledger.messages.add([Message("thanks a lot", "m-1")])
        made = replace(record(1, datetime.now(UTC)).decision, id=late, message_id="m-1")
        ledger.decisions.append([Decision(**asdict(made))])
    with running(tiny_bundle, monkeypatch, tmp_path), open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        wait_until(lambda: [one.event.label for one in ledger.events.of(["m-1"]).get("m-1", [])] == ["praise"])


@pytest.mark.parametrize(("hours", "end"), [(-48, None), (1, None), (0, -1)])
def test_what_nobody_can_still_have_to_write_is_not_found(hours, end):
    """Too old, from to-morrow, or no id of ours."""
    decision_id = new_decision_id(datetime.now(UTC) + timedelta(hours=hours))[:end]
    desk = FeedbackDesk(lambda records: None, lambda decision_id: "")
    with pytest.raises(ApiError) as refused:
        asyncio.run(desk.take({"decision_id": decision_id, "label": "praise"}, "crm"))
    assert refused.value.type == "not_found"


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
