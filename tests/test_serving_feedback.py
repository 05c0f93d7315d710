"""Corrections beside a database that hangs: few callers wait, for a bounded time, and no correction is lost."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from serving.feedback import LOOKUPS, FeedbackDesk
from serving.records import FeedbackRecord


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
