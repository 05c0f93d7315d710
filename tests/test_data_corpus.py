"""The shipped corpus keeps what its datasheet promises: size, breadth, depth at each boundary, no repetition."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from datasketch import MinHash, MinHashLSH

from configs.taxonomy import load_taxonomy
from data.clean import clean
from data.corpus import SeedRow, read_corpus

SAMPLE = 3200  # the size at which real messages have 0.63 distinct bigrams, and 0.58 is the least that will do
# Each boundary rule of the codebook with the labels it divides.
SIDES = {
    "accuse": {"abuse", "request", "fraud"},
    "add_fix": {"suggestion", "request"},
    "agent_reply": {"request", "none", "praise"},
    "angry_open": {"request", "abuse"},
    "blocked_buy": {"request", "lead"},
    "contest": {"spam", "praise"},
    "current_deal": {"lead", "question", "abuse"},
    "goodwill": {"question", "spam"},
    "hacked": {"request", "fraud"},
    "leaving": {"abuse", "lead"},
    "ongoing_chronic": {"request", "abuse"},
    "outage": {"question", "request"},
    "past_story": {"abuse", "request"},
    "peer_talk": {"lead", "praise", "abuse", "none", "fraud"},
    "politics": {"spam", "abuse"},
    "promo": {"spam", "praise"},
    "rhetorical": {"abuse", "question", "request"},
    "sarcastic": {"abuse", "request", "praise"},
    "two_companies": {"lead", "abuse"},
    "when_please": {"question", "suggestion", "abuse"},
}


@pytest.fixture(scope="module")
def corpus() -> list[SeedRow]:
    return list(read_corpus())


def test_each_label_has_at_least_400_messages_and_250_belong_nowhere(corpus):
    counts = Counter(row.label for row in corpus)
    assert set(counts) == {*load_taxonomy().labels, "none"}
    assert min(counts[label] for label in load_taxonomy().labels) >= 400
    assert counts["none"] >= 250


def test_ids_are_unique_and_second_labels_are_labels(corpus):
    assert len({row.id for row in corpus}) == len(corpus)
    values = set(load_taxonomy().annotation_values)
    assert all(set(row.second) <= values - {row.label} for row in corpus)


def test_it_covers_industries_channels_and_voices(corpus):
    assert sum(count >= 50 for count in Counter(row.industry for row in corpus).values()) >= 16
    assert sum(count >= 50 for count in Counter(row.channel for row in corpus).values()) >= 8
    assert sum(count >= 50 for count in Counter(row.voice for row in corpus).values()) >= 12


def test_it_has_short_and_long_messages(corpus):
    lengths = [len(row.text.split()) for row in corpus]
    assert min(lengths) <= 3
    assert max(lengths) >= 90
    assert max(lengths) <= 120


@pytest.mark.parametrize(("rule", "labels"), SIDES.items())
def test_each_boundary_has_twenty_messages_on_each_side(corpus, rule, labels):
    counts = Counter(row.label for row in corpus if row.rule == rule)
    assert {label: counts[label] for label in labels if counts[label] < 20} == {}


def test_near_duplicates_are_under_half_a_percent(corpus):
    index = MinHashLSH(threshold=0.7, num_perm=64)
    repeated = 0
    for row in corpus:
        digest = MinHash(num_perm=64)
        digest.update_batch([shingle.encode() for shingle in _shingles(row.text)])
        repeated += bool(index.query(digest))
        index.insert(row.id, digest)
    assert repeated / len(corpus) < 0.005


def test_wording_is_as_varied_as_real_messages(corpus):
    sample = sorted(corpus, key=lambda row: row.id)[:SAMPLE]
    bigrams = [pair for row in sample for pair in pairwise(_words(row.text))]
    assert len(set(bigrams)) / len(bigrams) >= 0.59


def test_no_opening_is_a_habit(corpus):
    openings = Counter(" ".join(_words(re.sub(r"^(?:[.@]\S+\s+|__company__\s+)+", "", row.text))[:3]) for row in corpus)
    assert openings.most_common(1)[0][1] / len(corpus) <= 0.01


def test_no_phone_number_or_address_of_a_person_stands_in_it(corpus):
    found = [row.text for row in corpus if re.search(r"[\w.]+@(?:gmail|yahoo|hotmail|outlook)\.", row.text)]
    assert found == []


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def _shingles(text: str) -> set[str]:
    joined = clean(text).lower()
    return {joined[place : place + 5] for place in range(max(1, len(joined) - 4))}
