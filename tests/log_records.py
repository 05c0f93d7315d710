"""Records of the decision log, as tests make them, and what its metrics say."""

from datetime import UTC, datetime

from data.messages import Message
from serving.metrics import Metrics
from serving.records import DecisionRecord, FeedbackRecord, Logged

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


def value(metrics: Metrics, name: str) -> float:
    return metrics.registry.get_sample_value(f"switchboard_{name}") or 0.0
