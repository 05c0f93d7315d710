"""Chosen messages become tasks: each once, whatever breaks off; the server is asked, never assumed."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from configs.labeling import Labeling
from configs.taxonomy import Taxonomy
from data.ledger import Ledger, Selection
from data.ledger.decisions import Decision
from labeling.client import Client, UncertainError
from labeling.known import Known
from labeling.pages import read_new
from labeling.project import Project, find_project
from labeling.sdk import PATIENT
from labeling.tasks import Key, build_task, key_of, said_by
from labeling.twice import chosen_once

Progress = Callable[[int, int], None]  # how many of how many
_TRIES = 5  # how often a page may break off in a row before we give up


@dataclass(slots=True)
class Pushed:
    """What a push did."""

    project: str
    url: str
    new: int = 0
    blind: int = 0
    already: int = 0
    erased: int = 0
    doubles: int = 0


def push(
    client: Client, ledger: Ledger, labeling: Labeling, taxonomy: Taxonomy, known: Known, progress: Progress | None = None
) -> Pushed:  # fmt: skip
    """Import every selection that is neither on the server nor labelled yet, and delete what was erased here."""
    project = find_project(client, labeling, taxonomy)
    report = Pushed(project.title, f"{client.url}/projects/{project.id}")
    _sweep(client, project, known, labeling.page_size, report)
    _delete_erased(client, ledger, project, known, report)
    missing, report.already = _missing(ledger, known.tasks(project.uid))
    total, broken = len(missing), 0
    with chosen_once(client, project, labeling.labelers, pages=-(-total // labeling.page_size)):
        while missing:
            part = missing[: labeling.page_size]
            try:
                _import(client, ledger, project, known, taxonomy, part, report)
            except UncertainError:
                broken += 1
                if broken == _TRIES:
                    raise
                _sweep(client, project, known, labeling.page_size, report)
                there = known.tasks(project.uid)
                report.new += sum(_key(item) in there for item in part)
                missing = [item for item in missing if _key(item) not in there]
                continue
            missing, broken = missing[len(part) :], 0
            if progress:
                progress(total - len(missing), total)
    return report


def _missing(ledger: Ledger, there: dict[Key, int]) -> tuple[list[Selection], int]:
    """Return the selections still to push, shuffled within their batch, and how many were pushed before."""
    chosen = list(ledger.selections.all())
    rest = [item for item in chosen if _key(item) not in there]
    labelled = ledger.events.of(item.message_id for item in rest)
    open_ones = [
        item
        for item in rest
        if not any(
            stored.event.origin in {"labeler", "review"} and stored.event.at >= item.at
            for stored in labelled.get(item.message_id, [])
        )
    ]
    return sorted(open_ones, key=lambda item: (item.at, item.batch, _shuffled(item))), len(chosen) - len(open_ones)


def _import(
    client: Client, ledger: Ledger, project: Project, known: Known, taxonomy: Taxonomy, part: Sequence[Selection], report: Pushed,
) -> None:  # fmt: skip
    ids = [item.message_id for item in part]
    messages, decisions = ledger.messages.get(ids), ledger.decisions.of(ids)
    rows = [
        (item, build_task(stored.message, item, said_by(decision_before(decisions, item)), taxonomy))
        for item in part
        if (stored := messages.get(item.message_id)) and stored.message.text  # else erased since it was chosen
    ]
    if not rows:
        return
    made: list[Any] = [task for _, task in rows]
    answer = client.make(
        f"the import of {len(rows)} tasks into project {project.id}",
        lambda sdk: sdk.projects.with_raw_response.import_tasks(
            project.id, request=made, return_task_ids=True, request_options=PATIENT
        ),
    )
    tasks = answer.response.json()["task_ids"]  # the SDK's type does not know them
    known.add(project.uid, zip((_key(item) for item, _ in rows), tasks, strict=True), swept=max(tasks))
    report.new += len(rows)
    report.blind += sum("predictions" not in task for _, task in rows)


def decision_before(decisions: dict[str, list[Decision]], item: Selection) -> Decision | None:
    """Return the last decision on a message at the time it was chosen, else its first."""
    of_message = decisions.get(item.message_id, [])
    earlier = [decision for decision in of_message if decision.at <= item.at]
    return earlier[-1] if earlier else next(iter(of_message), None)


def _sweep(client: Client, project: Project, known: Known, size: int, report: Pushed) -> None:
    """Learn of tasks that are there without our knowing: a push that broke off, or one from another machine."""
    there = known.tasks(project.uid)
    for rows in read_new(client, project.id, known.swept(project.uid), size):
        found: list[tuple[Key, int]] = []
        for row in rows:
            key = key_of(row["data"])
            if key is None:
                continue
            if there.setdefault(key, row["id"]) == row["id"]:
                found.append((key, row["id"]))
            elif not row["total_annotations"]:
                _delete(client, row["id"])
                report.doubles += 1
        known.add(project.uid, found, swept=rows[-1]["id"])


def _delete_erased(client: Client, ledger: Ledger, project: Project, known: Known, report: Pushed) -> None:
    """Delete the tasks whose message was erased from the ledger: forgetting reaches Label Studio too."""
    there = known.tasks(project.uid)
    kept = ledger.messages.known(message for _, message in there)
    for (_, message), task in there.items():
        if message not in kept:
            _delete(client, task)
            known.remove(project.uid, [task])
            report.erased += 1


def _delete(client: Client, task: int) -> None:
    client.remove(f"task {task}", lambda sdk: sdk.tasks.delete(str(task)))


def _key(item: Selection) -> Key:
    return item.batch, item.message_id


def _shuffled(item: Selection) -> Any:
    """Return a sort key that mixes a batch always in the same way, so that blind rows stand among the others."""
    return hashlib.sha256(f"{item.batch}/{item.message_id}".encode()).digest()
