"""What the ledger promises, on SQLite and on PostgreSQL alike."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.ledger import Added, Decision, LabelEvent, Ledger, LedgerError, Selection, open_ledger
from data.messages import Message

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _event(key: str, label: str = "praise", **values) -> LabelEvent:
    return LabelEvent(
        **{"key": key, "message_id": "m-1", "annotator": "ann", "origin": "labeler", "label": label} | values
    )


def _decision(key: str, at: datetime = NOON, **values) -> Decision:
    return Decision(
        **{"id": key, "message_id": "m-1", "at": at, "label": "lead", "confidence": 0.75, "scores": {"lead": 0.75},
           "outcome": "auto", "model_version": "7", "taxonomy_version": "1"} | values)  # fmt: skip


def test_a_message_comes_back_as_it_was_given(ledger: Ledger):
    message = Message("Où est mon colis? 📦", "m-1", "twitter", "ann", NOON, "t", "p", "parent", "c", "file")
    assert ledger.messages.add([message]) == Added(new=1, known=0, forgotten=0)
    assert ledger.messages.get(["m-1"])["m-1"].message == message


def test_the_first_text_of_an_id_stays(ledger: Ledger):
    ledger.messages.add([Message("first", "m-1")])
    assert ledger.messages.add([Message("second", "m-1"), Message("new", "m-2"), Message("twin", "m-2")]).new == 1
    assert [stored.message.text for stored in ledger.messages.all()] == ["first", "new"]


def test_what_a_database_cannot_store_is_made_storable(ledger: Ledger):
    ledger.messages.add([Message("a\0b \ud83d c", "m-1", author="x\0")])
    assert ledger.messages.get(["m-1"])["m-1"].message.text == "a\ufffdb ? c"


def test_times_are_kept_in_utc(ledger: Ledger):
    east = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    ledger.messages.add([Message("a", "m-1", time=east), Message("b", "m-2", time=datetime(2026, 3, 1, 12))])
    assert [stored.message.time for stored in ledger.messages.all()] == [NOON, NOON]


def test_an_event_comes_back_as_it_was_given_and_is_appended_once(ledger: Ledger):
    event = _event("k", second=("lead",), subject="7", at=NOON, seconds=2.5, note="hm", model_version="3",
                   model_label="spam", model_confidence=0.5)  # fmt: skip
    assert [ledger.events.append([event, event]), ledger.events.append([event])] == [1, 0]
    assert [stored.event for stored in ledger.events.all()] == [event]
    assert ledger.events.of(["m-1", "m-2"])["m-1"][0].event == event
    assert ledger.events.known(["k", "l"]) == {"k"}


def test_none_is_a_label_and_a_skip_is_not(ledger: Ledger):
    ledger.events.append([_event("a", "none"), _event("b", "ignored", kind="skip")])
    assert [(stored.event.kind, stored.event.label) for stored in ledger.events.all()] == [
        ("label", "none"),
        ("skip", ""),
    ]


@pytest.mark.parametrize("wrong", [{"label": "Praise"}, {"second": ("nice",)}, {"annotator": ""}, {"origin": "me"}])
def test_a_wrong_event_refuses_the_whole_call(ledger: Ledger, wrong: dict):
    with pytest.raises(SwitchboardError, match="label event 'b'"):
        ledger.events.append([_event("a"), _event("b", **wrong)])
    assert not list(ledger.events.all())


@pytest.mark.parametrize("change", ["UPDATE label_events SET label = 'spam'", "DELETE FROM label_events"])
def test_the_database_itself_refuses_to_change_an_event(ledger: Ledger, change: str):
    ledger.events.append([_event("a")])
    with pytest.raises((DBAPIError, LedgerError), match="append-only"), ledger.database.writing() as connection:
        connection.execute(text(change))
    assert [stored.event.label for stored in ledger.events.all()] == ["praise"]


def test_events_are_read_on_from_where_one_stopped(ledger: Ledger):
    ledger.events.append([_event(f"k{number}") for number in range(5)])
    seen = [stored.seq for stored in ledger.events.all()]
    assert [stored.event.key for stored in ledger.events.all(after=seen[2])] == ["k3", "k4"]


def test_decisions_are_appended_once_and_read_by_time(ledger: Ledger):
    late = _decision("a", NOON + timedelta(hours=1), extra={"route": {"team": "sales"}})
    same = [_decision("c"), _decision("b")]
    assert [ledger.decisions.append([late, *same]), ledger.decisions.append(same)] == [3, 0]
    assert list(ledger.decisions.all()) == [same[1], same[0], late]
    assert list(ledger.decisions.all(since=NOON, until=late.at)) == [same[1], same[0]]
    assert ledger.decisions.of(["m-1"])["m-1"][-1] == late
    assert ledger.decisions.delete_before(late.at) == 2
    assert ledger.decisions.get(["a", "b"]) == {"a": late}


def test_decisions_over_several_pages_are_read_once_each(ledger: Ledger):
    ledger.decisions.append(_decision(f"d{number:05}", NOON + timedelta(seconds=number // 3)) for number in range(4100))
    assert [decision.id for decision in ledger.decisions.all()] == [f"d{number:05}" for number in range(4100)]


def test_selections_are_appended_once_a_batch(ledger: Ledger):
    choice = Selection(
        message_id="m-1", batch="b1", strategy="random", stratum="x", blind=True, probability=0.1, at=NOON
    )
    again = Selection(message_id="m-1", batch="b2", strategy="margin", at=NOON)
    assert [ledger.selections.append([choice, again]), ledger.selections.append([choice])] == [2, 0]
    assert list(ledger.selections.all(batch="b1")) == [choice]
    assert ledger.selections.of(["m-1"]) == {"m-1": [choice, again]}


def test_several_changes_are_all_or_nothing(ledger: Ledger):
    with pytest.raises(SwitchboardError), ledger.writing():
        ledger.messages.add([Message("a", "m-1")])
        ledger.events.append([_event("a", "unheard of")])
    assert not ledger.messages.known(["m-1"])


def test_a_forgotten_message_leaves_no_text_and_does_not_come_back(ledger: Ledger):
    ledger.messages.add([Message("secret", "m-1"), Message("reply", "m-2", parent_id="m-1", parent_text="secret")])
    ledger.events.append([_event("a", note="says secret")])
    assert ledger.messages.erase(["m-1"]) == 1
    assert ledger.messages.add([Message("secret", "m-1")]) == Added(new=0, known=0, forgotten=1)
    ledger.messages.add([Message("other", "m-3", parent_id="m-1", parent_text="secret")])
    ledger.events.append([_event("b", note="secret again")])
    assert [stored.message.parent_text for stored in ledger.messages.all()] == ["", ""]
    assert [stored.event.note for stored in ledger.events.all()] == ["", ""]


def test_masking_replaces_texts(ledger: Ledger):
    ledger.messages.add([Message("call 0123", "m-1")])
    ledger.messages.replace_texts({"m-1": "call [number]"})
    assert ledger.messages.get(["m-1"])["m-1"].message.text == "call [number]"


def test_opening_again_keeps_everything(ledger: Ledger, ledger_url: str):
    ledger.messages.add([Message("a", "m-1")])
    with open_ledger(ledger_url) as again:
        assert again.messages.known(["m-1"]) == {"m-1"}
        assert again.taxonomies.current() is None


def test_a_newer_schema_is_refused_in_one_line(ledger: Ledger, ledger_url: str):
    with ledger.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match=r"schema '9999' is newer.*upgrade Switchboard"):
        open_ledger(ledger_url)


def test_labels_of_an_earlier_taxonomy_read_as_todays(ledger: Ledger):
    first, labels = load_taxonomy(), load_taxonomy().labels
    ledger.taxonomies.require(first)
    renamed = first.model_copy(update={"version": "2"})
    ledger.taxonomies.adopt(renamed, {label: label for label in labels} | {"abuse": "none", "lead": None})
    with pytest.raises(SwitchboardError, match="switchboard data migrate"):
        ledger.taxonomies.require(first)
    ledger.taxonomies.adopt(first.model_copy(update={"version": "3"}), {"praise": "lead"})
    read = ledger.taxonomies.translations()
    assert (read["1"]["abuse"], read["1"]["lead"], read["1"]["praise"], read["2"]["praise"]) == (
        "none",
        None,
        "lead",
        "lead",
    )
    assert read["3"]["praise"] == "praise"
