"""A small team for the tests: a ledger with four chosen messages, a project of its own, and two labelers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from configs.labeling import Labeling, load_labeling
from configs.taxonomy import load_taxonomy
from data.ledger import Decision, Ledger, Selection, open_ledger
from data.messages import Message
from labeling.client import Client
from labeling.known import opened
from labeling.project import Project, set_up
from labeling.pull import Pulled, pull
from labeling.push import Pushed, push

TAXONOMY = load_taxonomy()
AT = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = {
    "m-1": ("my internet is down since noon", "request", 0.9),
    "m-2": ("do you ship to Wales?", "question", 0.8),
    "m-3": ("you lot are hopeless", "praise", 0.4),
    "m-4": ("thank you Priya!", "praise", 0.95),
}


@dataclass
class Team:
    """A ledger with four chosen messages, the last of them blind, and a project of its own on the server."""

    admin: Client
    ledger: Ledger
    labeling: Labeling
    folder: Path
    people: dict[str, Client]

    def set_up(self) -> Project:
        return set_up(self.admin, self.labeling, TAXONOMY)[0]

    def push(self, client: Client | None = None) -> Pushed:
        with opened(self.folder) as known:
            return push(client or self.admin, self.ledger, self.labeling, TAXONOMY, known)

    def pull(self, client: Client | None = None) -> Pulled:
        with opened(self.folder) as known:
            return pull(client or self.admin, self.ledger, self.labeling, TAXONOMY, known)

    def tasks(self) -> dict[str, dict]:
        rows = self.admin.get("/api/tasks", project=self.set_up().id, page_size=100, fields="all")["tasks"]
        return {row["data"]["message_id"]: row for row in rows}

    def annotate(self, who: str, message: str, label: str, *, seconds: float = 4.0, cancelled: bool = False) -> int:
        result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
        body = {"result": [] if cancelled else result, "lead_time": seconds, "was_cancelled": cancelled}
        return self.people[who].create(f"/api/tasks/{self.tasks()[message]['id']}/annotations/", body)["id"]

    def events(self) -> list:
        return [stored.event for stored in self.ledger.events.all()]


@pytest.fixture
def team(admin, labelers, sqlite_url: str, tmp_path: Path, request) -> Iterator[Team]:
    labeling = load_labeling((f"project=Test {abs(hash(request.node.name)) % 10**8}", "page_size=2", "twice_share=0"))
    with open_ledger(sqlite_url) as ledger:
        ledger.messages.add(Message(text, name, "twitter", "@jane", AT) for name, (text, _, _) in TEXTS.items())
        ledger.decisions.append(_decide(name, label, sure) for name, (_, label, sure) in TEXTS.items())
        ledger.selections.append(
            Selection(message_id=name, batch="b-1", strategy="random", blind=name == "m-4", at=AT) for name in TEXTS
        )
        yield Team(admin, ledger, labeling, tmp_path / "labeling", labelers)


def _decide(name: str, label: str, sure: float) -> Decision:
    return Decision(
        id=f"d-{name}", message_id=name, at=AT, label=label, confidence=sure, scores={label: sure}, outcome="auto",
        model_version="v3", taxonomy_version=TAXONOMY.version,
    )  # fmt: skip
