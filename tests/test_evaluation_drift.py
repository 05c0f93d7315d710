"""Drift: the index by hand, no alarm by chance, an alarm where the stream moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.drift import (
    category_drift,
    known_share,
    number_drift,
    rising_words,
    stability_index,
    vocabulary_of,
)

counts = st.lists(st.integers(0, 200), min_size=2, max_size=8)


def test_the_index_by_hand():
    found = stability_index(np.array([49.5, 49.5]), np.array([24.5, 74.5]))  # 50:50 and 25:75 with the half added
    assert found == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5))


@settings(deadline=None, max_examples=40)
@given(counts)
def test_nothing_moved_is_zero_and_anything_else_is_more(one):
    old = np.array(one)
    assert stability_index(old, old) == pytest.approx(0)
    assert stability_index(old, old[::-1]) >= 0


@settings(deadline=None, max_examples=40)
@given(counts)
def test_the_index_is_the_same_both_ways(one):
    old = np.array(one)
    assert stability_index(old, old[::-1]) == pytest.approx(stability_index(old[::-1], old))


def test_small_samples_of_the_same_stream_hardly_ever_raise_an_alarm():
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        stream = rng.choice(["spam", "request", "praise", "fraud"], 1040, p=[0.3, 0.5, 0.15, 0.05]).tolist()
        alarms += category_drift("labels", stream[:1000], stream[1000:]).alert
    assert alarms <= 2


def test_few_messages_move_far_by_chance_and_that_is_said():
    found = category_drift("labels", ["spam", "request"] * 500, ["spam", "spam", "request"])
    assert found.p_value > 0.05 and not found.alert


def test_a_new_mix_is_an_alarm():
    found = category_drift("labels", ["spam", "request"] * 200, ["spam"] * 20 + ["request"] * 180)
    assert found.alert and (found.reference, found.current) == (400, 200)


def test_a_label_never_seen_before_is_an_alarm():
    assert category_drift("labels", ["spam"] * 200, ["spam"] * 100 + ["fraud"] * 50).alert


def test_confidence_that_falls_is_an_alarm_and_the_same_is_none():
    rng = np.random.default_rng(0)
    before = rng.beta(8, 2, 800)
    assert number_drift("confidence", before, rng.beta(5, 4, 300)).alert
    assert not number_drift("confidence", before, rng.beta(8, 2, 300)).alert


def test_a_constant_reference_and_an_empty_stream_are_no_crash():
    assert number_drift("length", np.ones(50), np.ones(50)).index == pytest.approx(0)
    assert number_drift("length", np.zeros(0), np.ones(5)).alert is False


def test_the_vocabulary_share_falls_with_new_words():
    known = vocabulary_of(["my router is dead", "the router is back", "dead line", "my line"])
    assert known == {"router", "dead", "line"}
    assert known_share(["dead router", "dead heron", "ok"], known).tolist() == [1.0, 0.5, 1.0]


def test_words_that_rise_are_found_with_both_shares():
    before = ["the bill is wrong"] * 80 + ["no signal here"] * 20
    now = ["the bill is wrong"] * 50 + ["outage in leeds"] * 50
    found = {rise.word: rise for rise in rising_words(before, now)}
    assert set(found) == {"outage", "leeds"}
    assert (found["leeds"].before, found["leeds"].now, found["leeds"].messages) == (0.0, 0.5, 50)
