"""What the decision log keeps of an answer or a correction, and its form in the spill file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from data.messages import Message
from serving.answers import Answer
from serving.model import ServedModel

SOURCE = "service"


@dataclass(frozen=True, slots=True)
class Logged:
    """A decision's fields as the ledger's `Decision` has them; here, so that the service starts without a database's driver."""

    id: str
    message_id: str
    at: datetime
    label: str
    confidence: float
    scores: Mapping[str, float]
    outcome: str
    model_version: str
    taxonomy_version: str
    reason: str = ""
    playbook_version: str = ""
    request_id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision with the message it was made on; the text is empty where texts are not kept."""

    decision: Logged
    message: Message


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """A correction: `message_id` is empty until the decision it names is found."""

    key: str
    decision_id: str
    message_id: str
    label: str
    annotator: str
    at: datetime
    note: str = ""
    given_key: bool = False  # the caller named the correction, so the same key is the same correction


Record = DecisionRecord | FeedbackRecord


@dataclass(frozen=True, slots=True)
class Written:
    """What became of records that a database took: how many it refused, and which wait for the decision they name."""

    refused: int = 0
    waiting: tuple[Record, ...] = ()


def to_record(
    answer: Answer, model: ServedModel, request_id: str, caller: str, at: datetime, keep_text: bool
) -> Record:
    """Return the record of one decided answer."""
    assert answer.decision is not None and answer.incoming is not None
    decision, message, versions = answer.decision, answer.incoming.message, model.versions
    route = decision.route
    extra = {
        "team": route.team, "tier": route.tier, "priority": route.priority, "rules": list(route.rules),
        "due": route.due.isoformat() if route.due else None, "model": versions["name"], "digest": versions["digest"],
        "caller": caller, "channel": message.channel, "source": message.source,
        "doubt": round(decision.doubt, 4),
    }  # fmt: skip
    logged = Logged(
        id=answer.decision_id, message_id=decision.id, at=at, label=decision.label, confidence=decision.confidence,
        scores=decision.scores, outcome=decision.outcome, reason=decision.reason or "",
        model_version=versions["version"], taxonomy_version=versions["taxonomy_version"],
        playbook_version=versions["playbook_version"], request_id=request_id, extra=extra,
    )  # fmt: skip
    kept = replace(message, source=SOURCE)  # never the caller's word: "seed" is ours, and only SOURCE is masked in time
    return DecisionRecord(logged, kept if keep_text else replace(kept, text="", parent_text=""))


def to_line(record: Record) -> bytes:
    """Return the record as one line."""
    kind = "decision" if isinstance(record, DecisionRecord) else "feedback"
    return orjson.dumps({"kind": kind, **asdict(record)}) + b"\n"


def from_line(line: bytes) -> Record | None:
    """Return the record of a line, or None for one that was torn by a crash."""
    try:
        values = orjson.loads(line)
        if values.pop("kind") == "feedback":
            return FeedbackRecord(**_with_time(values, "at"))
        decision = Logged(**_with_time(values["decision"], "at"))
        return DecisionRecord(decision, Message(**_with_time(values["message"], "time")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _with_time(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {**values, name: datetime.fromisoformat(values[name]) if values[name] else None}
