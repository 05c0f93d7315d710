"""What labelers did becomes label events: every change once, whatever breaks off or is pulled twice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from configs.errors import SwitchboardError
from configs.labeling import Labeling
from configs.taxonomy import Taxonomy
from data.clean import clean
from data.ledger import LabelEvent, Ledger, Selection, StoredMessage
from labeling.annotations import Scene, UnknownAnswerError, check_answers, read_events
from labeling.client import Client
from labeling.known import Known
from labeling.pages import count_changed, read_changed, with_microseconds
from labeling.project import Project, find_projects
from labeling.push import decision_before
from labeling.tasks import Said, key_of, said_by, said_of

REVIEW = frozenset({"suspect", "conflict"})  # strategies whose labels settle a doubt
_OVERLAP = timedelta(seconds=60)  # a change may become visible a little after its own time

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Pulled:
    """What a pull did; `changed` and `foreign` tasks were annotated but are not ours (any more), so nothing is taken."""

    tasks: int = 0
    labels: int = 0
    skips: int = 0
    retracted: int = 0
    changed: int = 0
    foreign: int = 0
    forgotten: int = 0
    unknown: list[str] = field(default_factory=list)


def pull(
    client: Client, ledger: Ledger, labeling: Labeling, taxonomy: Taxonomy, known: Known, progress: Progress | None = None
) -> Pulled:  # fmt: skip
    """Append what changed on the server since the last pull, in every project of ours."""
    projects = find_projects(client, labeling)
    if not projects:
        raise SwitchboardError(
            f"Label Studio at {client.url} has no project {labeling.project!r}; make it with `switchboard label setup` "
            "(labels pulled before are safe in the ledger)"
        )
    report = Pulled()
    for project in projects:
        _Puller(client, ledger, labeling, taxonomy, known, report).pull(project, progress)
    if report.unknown:
        answers = ", ".join(sorted(set(report.unknown)))
        raise SwitchboardError(
            f"{len(report.unknown)} annotations say what taxonomy {taxonomy.version} does not know ({answers}): the "
            "interface was edited by hand. `switchboard label setup` restores it; label those tasks again and pull. "
            f"All else was taken: {report.labels} labels, {report.skips} skips"
        )
    return report


@dataclass(slots=True)
class _Puller:
    client: Client
    ledger: Ledger
    labeling: Labeling
    taxonomy: Taxonomy
    known: Known
    report: Pulled
    people: dict[int, str] = field(default_factory=dict)

    def pull(self, project: Project, progress: Progress | None) -> None:
        since = _earlier(self.known.cursor(project.uid))
        total, done = count_changed(self.client, project.id, since), 0
        understood = len(self.report.unknown)
        for rows in read_changed(self.client, project.id, since, self.labeling.page_size):
            self._take(project, rows)
            if len(self.report.unknown) == understood:  # what was not understood is read again next time
                self.known.move_cursor(project.uid, with_microseconds(rows[-1]["updated_at"]))
            done += len(rows)
            if progress:
                progress(min(done, total), total)

    def _take(self, project: Project, rows: list[dict[str, Any]]) -> None:
        ours = [row for row in rows if key_of(row["data"])]
        self.report.tasks += len(rows)
        self.report.foreign += sum(bool(row["annotations"]) for row in rows) - sum(
            bool(row["annotations"]) for row in ours
        )
        ids = [row["data"]["message_id"] for row in ours]
        messages, stored = self.ledger.messages.get(ids), self.ledger.events.of(ids)
        chosen, decided = self.ledger.selections.of(ids), self.ledger.decisions.of(ids)
        events: list[LabelEvent] = []
        for row in ours:
            if not self._is_whole(row, messages):
                continue
            selection = _selection(row, chosen)
            said = said_of(row)
            if not said.label and selection is not None:
                said = said_by(decision_before(decided, selection))
            known = stored.get(row["data"]["message_id"], [])
            events.extend(self._events(project, row, said, selection, known))
        self._append(events)

    def _is_whole(self, row: dict[str, Any], messages: dict[str, StoredMessage]) -> bool:
        """Return whether the task still shows the message that we know by its id."""
        stored = messages.get(row["data"]["message_id"])
        if stored is not None and _reads_the_same(stored.message.text, row["data"].get("text")):
            return True
        if row["annotations"] and stored is None:
            self.report.forgotten += 1
        elif row["annotations"]:
            self.report.changed += 1
        return False

    def _events(
        self, project: Project, row: dict[str, Any], said: Said, selection: Selection | None, known: list[Any]
    ) -> list[LabelEvent]:
        self._meet(annotation["completed_by"] for annotation in row["annotations"])
        origin = "review" if selection is not None and selection.strategy in REVIEW else "labeler"
        scene = Scene(project.uid, project.taxonomy_version, self.people, origin)
        understood = []
        for event in read_events(row, said, scene, known):
            try:
                if project.taxonomy_version == self.taxonomy.version:
                    check_answers([event], self.taxonomy)
                understood.append(event)
            except UnknownAnswerError as error:
                self.report.unknown.append(str(error))
        return understood

    def _append(self, events: list[LabelEvent]) -> None:
        with self.ledger.writing():
            before = self.ledger.events.known(event.key for event in events)
            self.ledger.events.append(events)
        for event in events:
            if event.key not in before:
                self.report.labels += event.kind == "label"
                self.report.skips += event.kind == "skip"
                self.report.retracted += event.kind == "retract"

    def _meet(self, numbers: Iterable[Any]) -> None:
        """Learn the names of annotators not met before."""
        if any(isinstance(number, int) and number not in self.people for number in numbers):
            users = self.client.ask("the list of users", lambda sdk: sdk.users.list())
            self.people.update({user.id: user.email or "" for user in users if user.id is not None})


def _selection(row: dict[str, Any], chosen: dict[str, list[Selection]]) -> Selection | None:
    of_message = chosen.get(row["data"]["message_id"], [])
    return next((item for item in of_message if item.batch == row["data"]["batch"]), None)


def _reads_the_same(ours: str, shown: Any) -> bool:
    """Return whether a task shows our text; one that was masked since, past its labelling window, counts as the same."""
    return ours == shown or (isinstance(shown, str) and bool(ours) and ours == clean(shown))


def _earlier(moment: str) -> str:
    return with_microseconds((datetime.fromisoformat(moment) - _OVERLAP).isoformat()) if moment else ""
