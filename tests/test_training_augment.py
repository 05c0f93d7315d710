"""Noise keeps a message readable, is drawn anew each epoch, and is the same for a seed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from configs.taxonomy import load_taxonomy
from tests.tiny_base import make_base_model, tiny_recipe, tiny_rows
from training.augment import augment
from training.dataset import to_dataset
from training.examples import as_examples
from training.noise import NoisyRows

SENTENCE = "@NorthCare my order hasn't arrived. It was promised for Tuesday, please look into it."


@given(st.text(min_size=1, max_size=200), st.integers(0, 10_000))
def test_any_text_survives_noise(text, seed):
    assert augment(text, random.Random(seed)) != "" or text == ""


def test_noise_is_the_same_for_the_same_seed():
    drawn = [augment(SENTENCE, random.Random(seed)) for seed in range(50)]
    assert drawn == [augment(SENTENCE, random.Random(seed)) for seed in range(50)]
    assert len(set(drawn)) > 25


def test_noise_leaves_most_words_standing():
    words = {"order", "arrived", "promised", "tuesday", "look", "into"}
    for seed in range(200):
        noised = augment(SENTENCE, random.Random(seed)).lower()
        assert sum(word in noised for word in words) >= 3, noised


def test_each_kind_of_noise_occurs():
    drawn = " ".join(augment(SENTENCE, random.Random(seed)) for seed in range(300))
    for sign in ("!", "https://t.co/", "#", "@other", "pls", "hasnt", "ORDER"):
        assert sign in drawn, sign


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    base = make_base_model(tmp_path_factory.mktemp("base"))
    recipe = tiny_recipe(base, noise=0.8)
    rows = as_examples(tiny_rows(3))
    tokenizer = AutoTokenizer.from_pretrained(base)
    plain = to_dataset(rows, tokenizer, load_taxonomy().labels, recipe, None)
    return NoisyRows(rows, plain, tokenizer, recipe, None), plain


def test_epochs_differ_and_an_epoch_drawn_again_is_the_same(noisy):
    rows, _ = noisy
    rows.begin(0)
    first = [rows[i]["input_ids"] for i in range(len(rows))]
    rows.begin(1)
    second = [rows[i]["input_ids"] for i in range(len(rows))]
    rows.begin(0)
    assert first != second
    assert first == [rows[i]["input_ids"] for i in range(len(rows))]


def test_targets_are_those_of_the_plain_rows(noisy):
    rows, plain = noisy
    assert [rows[i]["targets"] for i in range(len(rows))] == plain["targets"][:]
    assert [rows[i]["doubt"] for i in range(len(rows))] == plain["doubt"][:]
