"""A chosen message as a Label Studio task; what the labeler must not know (why it was chosen) stays out of it."""

from dataclasses import dataclass
from typing import Any

from configs.taxonomy import Taxonomy
from data.ledger import Decision, Selection
from data.messages import Message
from labeling.interface import LABEL, TEXT
from labeling.project import PRELABEL

Key = tuple[str, str]  # batch and message id: the same message may come again in another batch, e.g. for review


@dataclass(frozen=True, slots=True)
class Said:
    """What the model had said of a message, if anything."""

    version: str = ""
    label: str = ""
    confidence: float | None = None


def key_of(data: dict[str, Any]) -> Key | None:
    """Return the key of a task from its data; None for a task that is not one of ours."""
    batch, message = data.get("batch"), data.get("message_id")
    return (batch, message) if isinstance(batch, str) and isinstance(message, str) else None


def quote(parent_text: str) -> str:
    """Return what a task shows of the message that its own answers; nothing where that is not known."""
    return f"In answer to: “{parent_text}”" if parent_text else ""


def build_task(message: Message, selection: Selection, said: Said, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the task to import: with the prediction filled in, or without any trace of it if the choice is blind."""
    shown = said if said.label in taxonomy.labels and not selection.blind else Said()
    data = {
        "message_id": message.id,
        "batch": selection.batch,
        "text": message.text,
        "about": " · ".join(part for part in (message.channel, message.author, _moment(message)) if part),
        "answers": quote(message.parent_text),
        "said": "",
        "model_version": shown.version,
    }
    if not shown.label:
        return {"data": data}
    data["said"] = f"The model: {taxonomy[shown.label].title}{_sureness(shown)}"
    chosen = {"from_name": LABEL, "to_name": TEXT, "type": "choices", "value": {"choices": [shown.label]}}
    return {
        "data": data,
        "predictions": [{"model_version": PRELABEL, "score": shown.confidence or 0.0, "result": [chosen]}],
    }


def said_of(task: dict[str, Any]) -> Said:
    """Return what the task showed of the model, read back by value."""
    for prediction in task.get("predictions") or []:
        for result in prediction.get("result") or []:
            choices = result.get("value", {}).get("choices") if result.get("from_name") == LABEL else None
            if choices:
                return Said(str(task["data"].get("model_version", "")), str(choices[0]), prediction.get("score"))
    return Said()


def said_by(decision: Decision | None) -> Said:
    """Return what a decision said."""
    if decision is None:
        return Said()
    return Said(decision.model_version, decision.label, decision.confidence)


def _moment(message: Message) -> str:
    return f"{message.time:%d %b %Y, %H:%M}" if message.time else ""


def _sureness(said: Said) -> str:
    return f", {said.confidence:.0%} sure" if said.confidence is not None else ""
