"""What the decision log writes to the ledger, and how long texts and decisions stay there."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from configs.serving import ServingSettings
from data.clean import clean
from data.ledger import Decision, open_ledger
from serving.ledger_writer import LedgerWriter
from serving.records import Logged, Written
from serving.retention import Retention
from tests.log_records import NOW, correction, record


def test_the_ledger_takes_decisions_once_and_corrections_by_what_they_say(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    for _ in range(2):
        writer.write([record(1), correction(1)])
    for label in ("praise", "praise", "abuse"):
        writer.write([correction(1, label)])
    with open_ledger(ledger_url) as ledger:
        assert ledger.decisions.count() == 1
        events = [stored.event for stored in ledger.events.of(["m-1"])["m-1"]]
    assert [event.label for event in events] == ["abuse", "praise", "abuse"]
    assert (events[0].model_label, events[0].model_version, events[0].origin) == ("praise", "1", "feedback")
    writer.close()


def test_corrections_that_come_twice_or_late_count_once_and_in_the_order_they_were_said(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    said = [correction(1, label, at=NOW + timedelta(minutes=n)) for n, label in enumerate(("abuse", "praise", "abuse"))]
    writer.write([record(1)])
    for one in (said[1], said[0], said[2], *said):  # one was live while another was spilled; then the spill comes again
        writer.write([one])
    with open_ledger(ledger_url) as ledger:
        events = sorted((stored.event for stored in ledger.events.of(["m-1"])["m-1"]), key=lambda event: event.at)
    assert [event.label for event in events] == ["abuse", "praise", "abuse"]
    writer.close()


def test_a_correction_waits_a_day_for_its_decision(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    early, bogus = (replace(correction(n), at=datetime.now(UTC) - timedelta(hours=25 - n)) for n in (7, 0))
    assert writer.write([early, bogus, record(1)]) == Written(1, (early,))
    writer.write([record(7)])  # as another process had spilled it
    assert writer.write([early]) == Written()
    assert [one.event.label for one in writer.ledger().events.of(["m-7"])["m-7"]] == ["abuse"]
    writer.close()


def test_a_record_the_database_refuses_does_not_hold_up_the_others(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    writer.write([record(1), correction(1, label="no such label"), record(2)])
    assert writer.ledger().decisions.count() == 2
    writer.close()


def test_decisions_are_kept_longer_than_their_texts_are_readable():
    with pytest.raises(ValueError, match=r"keep_decisions_days=30 must be more than labelling_window_days=90"):
        ServingSettings(keep_decisions_days=30, labelling_window_days=90)


def test_a_text_that_came_again_within_the_window_stays(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    again = record(1, NOW)
    writer.write([record(1, NOW - timedelta(days=40)), replace(again, decision=replace(again.decision, id="d-9"))])
    Retention(None, 30).keep(writer.ledger(), NOW)
    assert writer.ledger().messages.get(["m-1"])["m-1"].message.text == "mail me at a@b.example"
    writer.close()


def test_texts_past_their_window_are_masked_and_old_decisions_go(ledger_url):
    writer = LedgerWriter(lambda: open_ledger(ledger_url))
    old = record(2, NOW - timedelta(days=40))
    quoting = replace(old, message=replace(old.message, parent_text="call 0171 4960 0158, says @ann"))
    writer.write([record(1, NOW - timedelta(days=400)), quoting, record(3, NOW)])
    ledger = writer.ledger()
    Retention(365, 30).keep(ledger, NOW)
    texts = [one.message.text for one in ledger.messages.get(["m-1", "m-2", "m-3"]).values()]
    assert sorted(texts) == ["mail me at [email]", "mail me at [email]", "mail me at a@b.example"]
    assert ledger.messages.get(["m-2"])["m-2"].message.parent_text == clean("call 0171 4960 0158, says @ann")
    assert set(ledger.decisions.get(["d-1", "d-2", "d-3"])) == {"d-2", "d-3"}
    writer.close()


def test_the_fields_logged_are_the_ledgers():
    assert [field.name for field in fields(Logged)] == [field.name for field in fields(Decision)]
