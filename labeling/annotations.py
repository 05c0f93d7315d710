"""What a task's annotations say, as label events; a pure function of the task and what the ledger holds of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from configs.taxonomy import Taxonomy
from data.ledger import LabelEvent, StoredEvent
from data.ledger.events import Kind, Origin
from labeling.interface import LABEL, NOTE, SECOND, UNSURE
from labeling.tasks import Said, key_of


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a task's annotations come from: project, taxonomy of its interface, people, and the task's purpose."""

    project_uid: str
    taxonomy_version: str
    annotators: Mapping[int, str]
    origin: Origin = "labeler"


class UnknownAnswerError(ValueError):
    """An annotation whose value the taxonomy does not know: the interface was edited."""


def read_events(task: dict[str, Any], said: Said, scene: Scene, known: Sequence[StoredEvent]) -> list[LabelEvent]:
    """Return one event per annotation as it stands, and a retraction of each that the ledger knows and is gone."""
    events = [_read_one(task, annotation, said, scene) for annotation in task["annotations"]]
    return [*events, *_retractions(task, events, scene, known)]


def check_answers(events: Iterable[LabelEvent], taxonomy: Taxonomy) -> None:
    """Raise `UnknownAnswerError` for a label that this taxonomy does not have."""
    for event in events:
        for label in (event.label, *event.second):
            if event.kind == "label" and label not in taxonomy.annotation_values:
                raise UnknownAnswerError(label)


def _read_one(task: dict[str, Any], annotation: dict[str, Any], said: Said, scene: Scene) -> LabelEvent:
    answers = _answers(annotation)
    label = answers.get(LABEL, [""])[0]
    skipped = annotation["was_cancelled"] or label in {"", UNSURE}
    kind: Kind = "skip" if skipped else "label"
    subject = f"{scene.project_uid}:{task['id']}:{annotation['id']}"
    return LabelEvent(
        key=f"ls:{subject}:{annotation['updated_at']}",
        message_id=task["data"]["message_id"],
        annotator=_annotator(annotation, scene),
        origin=scene.origin,
        kind=kind,
        label="" if skipped else label,
        second=tuple(other for other in answers.get(SECOND, []) if other != label and not skipped),
        subject=subject,
        at=_moment(annotation["updated_at"]),
        seconds=annotation.get("lead_time"),
        note=" ".join(answers.get(NOTE, [])).strip(),
        model_version=said.version,
        model_label=said.label,
        model_confidence=said.confidence,
        taxonomy_version=scene.taxonomy_version,
        batch=(key_of(task["data"]) or ("",))[0],
    )


def _retractions(
    task: dict[str, Any], present: Sequence[LabelEvent], scene: Scene, known: Sequence[StoredEvent]
) -> list[LabelEvent]:
    """Return a retraction for each subject of this task that the ledger holds and the server does not."""
    prefix, subjects = f"{scene.project_uid}:{task['id']}:", {event.subject for event in present}
    latest = {stored.event.subject: stored.event for stored in known if stored.event.subject.startswith(prefix)}
    gone = [event for event in latest.values() if event.subject not in subjects and event.kind != "retract"]
    return [
        LabelEvent(
            key=f"ls:{event.subject}:deleted",
            message_id=event.message_id,
            annotator=event.annotator,
            origin=event.origin,
            kind="retract",
            subject=event.subject,
            at=_moment(task["updated_at"]),
            model_version=event.model_version,
            model_label=event.model_label,
            model_confidence=event.model_confidence,
            taxonomy_version=event.taxonomy_version,
            batch=event.batch,
        )
        for event in gone
    ]


def _answers(annotation: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for result in annotation["result"]:
        value = result.get("value", {})
        found.setdefault(result.get("from_name", ""), []).extend(value.get("choices") or value.get("text") or [])
    return found


def _annotator(annotation: dict[str, Any], scene: Scene) -> str:
    who = annotation["completed_by"]
    number = who["id"] if isinstance(who, dict) else who
    return scene.annotators.get(number, f"user-{number}")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
