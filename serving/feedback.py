"""Corrections from routers and agents: checked at once, written with the decision log, idempotent."""

import asyncio
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from serving.decision_ids import may_be_written_yet
from serving.errors import ApiError
from serving.records import DecisionRecord, FeedbackRecord, Record

RECENT = 50_000  # decisions whose messages are known without asking the database
LOOKUP_S = 2.0
LOOKUPS = 16  # at a time: as many threads may hang with the database, and as many callers wait for it

NO_NUL = r"^[^\x00]*$"  # which no database keeps

Name = Annotated[str, Field(min_length=1, max_length=512, pattern=NO_NUL)]


class Feedback(BaseModel):
    """A correction: the label a person gives to a decided message."""

    model_config = ConfigDict(extra="forbid", strict=True)

    decision_id: Name | None = None
    message_id: Name | None = None
    label: str
    annotator: Name = "agent"
    note: Annotated[str, Field(max_length=2000, pattern=NO_NUL)] = ""
    feedback_id: Name | None = None

    @model_validator(mode="after")
    def _names_a_message(self) -> "Feedback":
        if (self.decision_id is None) == (self.message_id is None):
            raise ValueError("give either decision_id or message_id")
        if self.label not in load_taxonomy().annotation_values:
            raise ValueError(f"unknown label; use one of {', '.join(load_taxonomy().annotation_values)}")
        return self


class FeedbackDesk:
    """Knows the decisions of late, so that a correction may come before its decision was written."""

    def __init__(self, put: Callable[[Sequence[Record]], None], find_message: Callable[[str], str | None]) -> None:
        """`find_message` returns a decision's message from the database, "" for none, None if it cannot say now."""
        self._put, self._find_message = put, find_message
        self._recent: OrderedDict[str, str] = OrderedDict()
        self._lookups = threading.Semaphore(LOOKUPS)

    def remember(self, records: Sequence[Record]) -> None:
        """Keep which messages these decisions were made on."""
        for record in records:
            if isinstance(record, DecisionRecord):
                self._recent[record.decision.id] = record.decision.message_id
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    async def take(self, body: Any, caller: str) -> dict[str, Any]:
        """Accept a correction and return its id, or refuse what cannot be right."""
        feedback = read_feedback(body)
        message_id = feedback.message_id or await self._message_of(feedback.decision_id or "")
        key = key_of(feedback, caller)
        record = FeedbackRecord(
            key, feedback.decision_id or "", message_id, feedback.label, f"{caller}:{feedback.annotator}",
            datetime.now(UTC), feedback.note, given_key=feedback.feedback_id is not None,
        )  # fmt: skip
        self._put([record])
        return {"accepted": True, "feedback_id": key}

    async def _message_of(self, decision_id: str) -> str:
        if decision_id in self._recent:
            return self._recent[decision_id]
        try:
            async with asyncio.timeout(LOOKUP_S):
                found = await asyncio.wrap_future(self._look_up(decision_id))
        except (TimeoutError, SwitchboardError):
            found = None
        if found == "" and not may_be_written_yet(decision_id):
            raise ApiError("not_found", f"no decision {decision_id[:80]!r}; give the decision_id of an answer")
        return found or ""

    def _look_up(self, decision_id: str) -> "Future[str | None]":
        """Begin to ask the database, in a thread of its own that does not keep the process from ending.

        Where LOOKUPS of them hang with it already it cannot say, as when it is down.
        """
        answer: Future[str | None] = Future()
        if not self._lookups.acquire(blocking=False):
            answer.set_result(None)
            return answer
        answer.set_running_or_notify_cancel()  # who waits may leave; the answer is then nobody's

        def look() -> None:
            try:
                answer.set_result(self._find_message(decision_id))
            except Exception as error:
                answer.set_exception(error)
            finally:
                self._lookups.release()

        threading.Thread(target=look, name="decision-lookup", daemon=True).start()
        return answer


def read_feedback(body: Any) -> Feedback:
    """Return the correction in a body, or refuse it with the field that is wrong."""
    try:
        return Feedback.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise ApiError("invalid_request", f"{where}: {first['msg']}") from None


def key_of(feedback: Feedback, caller: str) -> str:
    """Return the event key: the caller's own id of the correction, else what it says of what by whom."""
    said: tuple[Literal["id", "said"] | str | None, ...] = (
        ("id", caller, feedback.feedback_id)
        if feedback.feedback_id
        else ("said", caller, feedback.annotator, feedback.decision_id, feedback.message_id, feedback.label)
    )
    return "fb:" + hashlib.sha256("\0".join(part or "" for part in said).encode()).hexdigest()[:32]
