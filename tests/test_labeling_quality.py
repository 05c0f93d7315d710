"""Agreement, corrections, live accuracy and suspects, from what people said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from configs.taxonomy import load_taxonomy
from data.ledger import LabelEvent, Selection, StoredEvent
from labeling.agreement import MISSING, alpha, consensus, kappa, measure_agreement
from labeling.corrections import estimate_live_accuracy, measure_corrections, split_blind, wilson
from labeling.standing import standing
from labeling.suspects import find_conflicts, find_suspects

VALUES = load_taxonomy().annotation_values
AT = datetime(2026, 1, 1, tzinfo=UTC)


def say(message: str, who: str, label: str = "", *, minute: int = 1, subject: str = "", **more) -> LabelEvent:
    values = {"kind": "label", "origin": "labeler", "model_label": "request", "model_version": "v1", "seconds": 5.0}
    return LabelEvent(
        key=f"{message}-{who}-{minute}-{label}", message_id=message, annotator=who, label=label, subject=subject,
        at=AT + timedelta(minutes=minute), **(values | more),
    )  # fmt: skip


def store(*events: LabelEvent) -> list[StoredEvent]:
    return [StoredEvent(seq, event) for seq, event in enumerate(events, start=1)]


def pick(message: str, strategy: str = "random", *, blind: bool = True, probability: float | None = 0.5) -> Selection:
    return Selection(message_id=message, batch="b", strategy=strategy, blind=blind, probability=probability, at=AT)


def test_the_last_word_stands():
    found = standing(store(say("m", "ann", "request", subject="1"), say("m", "ann", "abuse", minute=2, subject="1")))
    assert [event.label for event in found] == ["abuse"]


def test_what_was_taken_back_does_not_stand():
    taken_back = say("m", "ann", minute=2, subject="1", kind="retract")
    assert standing(store(say("m", "ann", "request", subject="1"), taken_back)) == []


def test_kappa_is_one_for_equal_rows_and_zero_for_chance():
    assert kappa(np.array([0, 1, 2]), np.array([0, 1, 2])) == 1.0
    assert kappa(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == 0.0
    assert kappa(np.array([1, 1]), np.array([1, 1])) is None


def test_alpha_is_that_of_the_textbook():
    # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: 0.743 for nominal data.
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
    table = np.array(rows).T
    assert alpha(np.where(table == 0, MISSING, table)) == pytest.approx(0.743, abs=0.001)


def test_the_majority_is_the_consensus_where_there_are_no_scores():
    assert consensus(np.array([[4, 4, 7], [2, 2, MISSING]]), classes=9).tolist() == [4, 2]


def test_agreement_names_pairs_disputes_speed_and_confusions():
    said = [say("a", "ann", "abuse"), say("a", "ben", "abuse"), say("a", "cem", "request", seconds=9.0),
            say("b", "ann", "lead"), say("b", "ben", "lead"), say("c", "ann", "praise")]  # fmt: skip
    found = measure_agreement(said, VALUES)
    assert (found.messages, found.twice, found.disputed) == (3, 2, ("a",))
    pairs = {(pair.first, pair.second): pair for pair in found.pairs}
    assert (pairs["ann", "ben"].messages, pairs["ann", "ben"].equal) == (2, 1.0)
    cem = next(one for one in found.annotators if one.name == "cem")
    assert (cem.seconds, cem.confusion) == (9.0, {("request", "abuse"): 1})


def test_nobody_labelled_anything_yet():
    found = measure_agreement([], VALUES)
    assert (found.messages, found.alpha, found.pairs, found.annotators) == (0, None, (), ())


def test_overruling_is_counted_by_value_and_by_view():
    said = [say("a", "ann", "request", model_confidence=0.92), say("b", "ben", "abuse", model_confidence=0.41),
            say("c", "ben", kind="skip")]  # fmt: skip
    found = measure_corrections(said)
    assert (found.all.hits, found.all.of) == (1, 2)
    assert found.by["annotator"]["ben"].value == 1.0
    assert found.by["band"]["0.90-0.95"].value == 0.0
    assert found.by["model"]["v1"].of == 2


def test_labels_given_blind_are_kept_apart_from_those_that_saw_the_prediction():
    said = [say("a", "ann", "request"), say("b", "ann", "request")]
    shown, blind = split_blind(said, {"a": [pick("a")], "b": [pick("b", "uncertain", blind=False)]})
    assert ([event.message_id for event in shown], [event.message_id for event in blind]) == (["b"], ["a"])


def test_a_label_is_blind_or_not_by_the_batch_it_was_given_in():
    """The message was chosen for a blind batch and, later, for one that shows the prediction; labels may cross."""
    both = [replace(pick("a"), batch="blind"), replace(pick("a", "uncertain", blind=False), batch="shown")]
    said = [say("a", "ann", "abuse", batch="shown", minute=5), say("a", "bob", "praise", batch="blind", minute=9)]
    shown, blind = split_blind(said, {"a": both})
    assert ([event.annotator for event in shown], [event.annotator for event in blind]) == (["ann"], ["bob"])
    live = estimate_live_accuracy([*said, say("a", "cid", "request", batch="shown", minute=11)], {"a": both})
    assert (live.labelled, live.accuracy.value) == (1, 0.0), "bob's alone, who saw no prediction"


def test_live_accuracy_counts_blind_random_rows_only_and_says_how_many_were_skipped():
    chosen = {name: [pick(name)] for name in "abcd"} | {"x": [pick("x", "uncertain")]}
    said = [say("a", "ann", "request"), say("b", "ann", "abuse"), say("c", "ann", kind="skip"), say("x", "ann", "lead")]
    live = estimate_live_accuracy(said, chosen)
    assert (live.drawn, live.labelled, live.skipped, live.waiting) == (4, 2, 1, 1)
    assert live.accuracy.value == 0.5
    assert live.worst.value == pytest.approx(1 / 3)


def test_a_row_that_was_less_likely_to_be_drawn_counts_more():
    chosen = {"a": [pick("a", probability=0.1)], "b": [pick("b", probability=0.5)]}
    live = estimate_live_accuracy([say("a", "ann", "request"), say("b", "ann", "abuse")], chosen)
    assert live.accuracy.value == pytest.approx(10 / 12)


def test_wilson_is_that_of_the_textbook():
    share = wilson(8, 10)
    assert (share.low, share.high) == (pytest.approx(0.490, abs=0.001), pytest.approx(0.943, abs=0.001))
    assert wilson(0, 0).value is None


def test_a_planted_wrong_label_is_the_first_suspect():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    right = 0.85 + 0.1 * rng.random(100)
    scores = np.where(labels[:, None] == np.arange(2), right[:, None], 1 - right[:, None])
    labels[7] = 1
    assert (find_suspects(labels, scores)[0].row, find_suspects(labels, scores)[0].instead) == (7, 0)


def test_feedback_that_contradicts_labelers_is_a_conflict_unless_they_call_it_defensible():
    people = [say("a", "ann", "abuse"), say("b", "ann", "abuse", second=("request",))]
    feedback = [say("a", "crm", "request", origin="feedback"), say("b", "crm", "request", origin="feedback")]
    assert list(find_conflicts(people, feedback)) == ["a"]
