"""Sides are drawn once, by the first of its kind, and never moved; on SQLite and PostgreSQL alike."""

import random

import pytest

from configs.dataset import load_dataset_config
from data.ledger import LabelEvent, Ledger
from data.messages import LabelledMessage, Message
from data.neighbours import bands_of, essence, likeness, pieces
from data.splits import draw, place_new
from training.parts import seed_parts

WORDS = [
    "parcel",
    "invoice",
    "router",
    "engine",
    "platform",
    "ticket",
    "counter",
    "kettle",
    "window",
    "garden",
    "station",
    "driver",
    "napkin",
    "cinema",
]


def _text(number: int) -> str:
    rng = random.Random(number)
    return " ".join(rng.choice(WORDS) + str(rng.randrange(100)) for _ in range(12))


def _add(ledger: Ledger, *messages: Message) -> None:
    ledger.messages.add(messages)
    ledger.events.append(
        LabelEvent(key=message.id, message_id=message.id, label="praise", annotator="a", origin="import")
        for message in messages
    )
    place_new(ledger)


def _sides(ledger: Ledger) -> dict[str, str]:
    return {stored.message.id: stored.side for stored in ledger.messages.all()}


def _id_on(side: str, start: int = 0) -> str:
    share = load_dataset_config().test_share
    return next(f"m{number}" for number in range(start, 10_000) if draw(f"m{number}", share) == side)


def test_about_the_configured_share_draws_test(ledger: Ledger):
    _add(ledger, *(Message(_text(number), f"m{number}") for number in range(700)))
    share = list(_sides(ledger).values()).count("test") / 700
    assert share == pytest.approx(load_dataset_config().test_share, abs=0.06)


def test_only_labelled_messages_get_a_side_and_keep_it(ledger: Ledger):
    ledger.messages.add([Message(_text(1), "unlabelled")])
    _add(ledger, Message(_text(2), "m1"))
    before = _sides(ledger)
    assert (before["unlabelled"], place_new(ledger)) == ("", 0)
    _add(ledger, *(Message(_text(number), f"n{number}") for number in range(3, 40)))
    assert {key: side for key, side in _sides(ledger).items() if key in before} == before


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({"author": "ann"}, {"author": "ann"}),
        ({"thread_id": "t"}, {"thread_id": "t"}),
        ({}, {"parent_id": "FIRST"}),
        ({"parent_id": "LATER"}, {}),
        ({"text": "My parcel 42 has not arrived since Monday, where is it?"},
         {"text": "@acme my parcel 42 has not arrived since monday where is it!! https://t.co/x"}),
    ],
)  # fmt: skip
def test_the_first_of_a_kind_draws_for_the_later(ledger: Ledger, first: dict, later: dict, together: bool):
    one, other = _id_on("test"), _id_on("train")
    fill = {"FIRST": one, "LATER": other}
    make = [Message(**{"text": _text(number), "id": key} | {name: fill.get(value, value) for name, value in given.items()})
            for number, (key, given) in enumerate([(one, first), (other, later)])]  # fmt: skip
    if together:
        _add(ledger, *make)
    else:
        _add(ledger, make[0])
        _add(ledger, make[1])
    assert _sides(ledger) == {one: "test", other: "test"}


def test_a_bridge_is_quarantined_and_claims_nothing(ledger: Ledger):
    test, train = _id_on("test"), _id_on("train")
    _add(ledger, Message(_text(1), test, author="ann"), Message(_text(2), train, thread_id="t"))
    _add(ledger, Message(_text(3), "bridge", author="ann", thread_id="t"))
    after = _id_on("train", start=500)
    _add(ledger, Message(_text(3), after))
    assert _sides(ledger) == {test: "test", train: "train", "bridge": "quarantined", after: "train"}


def test_near_duplicates_share_a_group_and_others_do_not(ledger: Ledger):
    _add(
        ledger,
        Message(_text(1), "a"),
        Message(_text(1) + " please", "b"),
        Message(_text(2), "c"),
        Message("@x", "d"),
        Message("@y", "e"),
    )
    groups = {stored.message.id: stored.near_group for stored in ledger.messages.all()}
    assert groups == {"a": "a", "b": "a", "c": "c", "d": "d", "e": "e"}


def test_likeness_ignores_what_hides_a_copy():
    one, other = (
        pieces(essence(text))
        for text in ("RT @bob: Win an iPhone NOW!!! https://a.co/1", "rt @al win an iphone now https://b.co/2")
    )
    assert likeness(one, other) == 1
    assert set(bands_of(one)) == set(bands_of(other))
    assert bands_of(pieces(essence("@x https://a.co"))) == []


def test_seed_rows_are_on_the_side_that_training_draws_for_them(ledger: Ledger):
    rows = [Message(_text(number), f"s-{number}", source="seed") for number in range(120)]
    _add(ledger, *rows)
    fit, holdout, test = seed_parts(LabelledMessage(row, "praise") for row in rows)
    sides = _sides(ledger)
    assert {key for key, side in sides.items() if side == "test"} == {row.message.id for row in test}
    assert len(fit) + len(holdout) == list(sides.values()).count("train")
