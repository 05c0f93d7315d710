"""Doubted labels: planted mistakes are found, conflicts come first, and a settled doubt is not raised again."""

from datetime import UTC, datetime

import pytest

from configs.errors import SwitchboardError
from data.corpus import read_corpus
from data.ledger import LabelEvent, Ledger, open_ledger
from data.messages import Message
from flows.suspects import find_doubts, review_contradictions, select_for_review

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger(sqlite_url: str):
    with open_ledger(sqlite_url) as opened:
        yield opened


def label(ledger: Ledger, name: str, value: str, *, who: str = "ann", origin="labeler") -> None:
    event = LabelEvent(key=f"{name}-{who}-{origin}", message_id=name, annotator=who, origin=origin, label=value, at=AT)
    ledger.events.append([event])


def label_corpus(ledger: Ledger, wrong: int) -> list[str]:
    """Label praise and requests of our corpus, some of them wrongly on purpose, and return which."""
    rows = [row for row in read_corpus() if row.label in {"praise", "request"}]
    rows = [row for value in ("praise", "request") for row in [one for one in rows if one.label == value][:100]]
    ledger.messages.add(Message(row.text, row.id) for row in rows)
    swapped = {"praise": "request", "request": "praise"}
    mistaken = [row.id for row in rows[:wrong]]
    for row in rows:
        label(ledger, row.id, swapped[row.label] if row.id in mistaken else row.label)
    return mistaken


def test_planted_mistakes_are_found(ledger):
    mistaken = label_corpus(ledger, wrong=5)
    found = {doubt.message_id for doubt in find_doubts(ledger, limit=20)}
    assert len(found & set(mistaken)) >= 4


def test_contradicting_feedback_comes_first_and_is_reviewed_blind(ledger):
    ledger.messages.add([Message("never again", "m-1")])
    label(ledger, "m-1", "abuse")
    label(ledger, "m-1", "request", who="crm", origin="feedback")
    (doubt,) = find_doubts(ledger, limit=5)
    assert (doubt.strategy, doubt.reason) == ("conflict", "feedback says request, labelers say abuse")
    batch = select_for_review(ledger, [doubt])
    assert [(item.message_id, item.blind) for item in ledger.selections.all(batch=batch)] == [("m-1", True)]


def test_a_contradiction_is_chosen_once_and_no_other_doubt_with_it(ledger):
    label_corpus(ledger, wrong=5)
    ledger.messages.add([Message("never again", "m-1")])
    label(ledger, "m-1", "abuse")
    assert review_contradictions(ledger) == 0
    label(ledger, "m-1", "request", who="crm", origin="feedback")
    assert review_contradictions(ledger) == 1
    assert review_contradictions(ledger) == 0
    assert [(item.message_id, item.strategy, item.blind) for item in ledger.selections.all()] == [
        ("m-1", "conflict", True)
    ]


def test_a_doubt_waiting_for_review_is_not_raised_again(ledger):
    label_corpus(ledger, wrong=5)
    first = find_doubts(ledger, limit=20)
    select_for_review(ledger, first)
    assert not {doubt.message_id for doubt in first} & {doubt.message_id for doubt in find_doubts(ledger, limit=20)}


def test_too_few_labels_say_how_many_are_needed(ledger):
    with pytest.raises(SwitchboardError, match="5 messages each"):
        find_doubts(ledger, limit=5)
