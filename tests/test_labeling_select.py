"""What is chosen, for whom it is blind, and with what probability: arrays in, choices out."""

import numpy as np
import pytest

from configs.labeling import load_labeling
from labeling.batch import choose, share_out
from labeling.select import (
    Candidates,
    by_coverage,
    by_disagreement,
    by_rarity,
    by_uncertainty,
    divergences,
    draw_share,
    margins,
    take,
)

LABELS = ("spam", "request", "lead")
ALL = np.ones(4, dtype=bool)


def candidates(scores, *, embeddings=None, other=None, **changes) -> Candidates:
    scores = np.array(scores, dtype=float)
    count = len(scores)
    values = {
        "ids": [f"m-{row}" for row in range(count)],
        "labels": LABELS,
        "scores": scores,
        "embeddings": np.eye(count) if embeddings is None else np.array(embeddings, dtype=float),
        "other_scores": np.full_like(scores, np.nan) if other is None else np.array(other, dtype=float),
        "automatic": np.ones(count, dtype=bool),
        "no_reply": np.zeros(count, dtype=bool),
        "fresh": np.ones(count, dtype=bool),
        "drawn": np.zeros(count, dtype=bool),
        "label_counts": np.array([50, 50, 2]),
    }
    values |= changes
    return Candidates(**({"pooled": values["fresh"]} | values))


def many(count: int = 200, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 16))
    return candidates(
        rng.dirichlet((1, 1, 1), size=count), embeddings=vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    )


FOUR = [[0.9, 0.05, 0.05], [0.5, 0.45, 0.05], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]]


def test_the_smallest_margin_is_the_least_certain():
    assert margins(np.array(FOUR)).round(2).tolist() == [0.85, 0.05, 0.3, 0.2]
    assert by_uncertainty(candidates(FOUR), ALL).tolist() == [1, 3, 2, 0]


def test_two_equal_opinions_do_not_diverge_and_opposite_ones_do_by_one_bit():
    scores = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert divergences(scores, np.array([[1.0, 0.0], [0.0, 1.0]])).tolist() == [0.0, 1.0]


def test_disagreement_asks_only_where_the_best_labels_differ():
    other = [[0.1, 0.9, 0.0], [0.6, 0.4, 0.0], [np.nan] * 3, [0.9, 0.05, 0.05]]
    assert by_disagreement(candidates(FOUR, other=other), ALL).tolist() == [0, 3]


def test_rare_labels_come_surest_first():
    assert by_rarity(candidates([[0, 0.4, 0.6], [0, 0.1, 0.9], [1, 0, 0]]), np.ones(3, dtype=bool)).tolist() == [1, 0]


def test_coverage_takes_the_most_typical_of_each_group_first():
    groups = [[1.0, 0.0], [0.98, 0.2], [0.95, 0.31], [0.0, 1.0]]
    pool = candidates(FOUR, embeddings=groups)
    assert by_coverage(pool, ALL, 2, seed=0)[:2].tolist() == [1, 3]


def test_one_of_two_near_duplicates_is_enough():
    twins = np.array([[1.0, 0.0], [0.999, 0.045], [0.0, 1.0]])
    assert take(np.array([0, 1, 2]), 3, twins, [], near=0.9) == [0, 2]


def test_shares_add_up_to_the_count():
    assert share_out(10, {"a": 0.5, "b": 0.3, "c": 0.25}) == {"a": 5, "b": 3, "c": 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_of_every_stratum_is_drawn(seed):
    strata = ["a"] * 50 + ["b"] * 13
    mask = draw_share(strata, 0.2, np.random.default_rng(seed))
    assert mask[:50].sum() == 10
    assert mask[50:].sum() in {2, 3}


def test_a_batch_has_the_configured_mix_and_no_message_twice():
    chosen = choose(many(), 50, load_labeling(), seed=1)
    names = [choice.strategy for choice in chosen]
    assert len({choice.row for choice in chosen}) == len(chosen) == 50
    wanted = share_out(50, load_labeling().mix.shares())
    assert (names.count("random"), names.count("audit")) == (wanted["random"], wanted["audit"])


def test_rows_that_measure_accuracy_are_blind_and_carry_their_probability():
    measuring = [choice for choice in choose(many(), 50, load_labeling(), 1) if choice.strategy in {"random", "audit"}]
    assert all(choice.blind and choice.probability for choice in measuring)


def test_random_rows_are_drawn_from_labelled_messages_too_but_none_is_drawn_twice():
    known = many()
    nothing_fresh = candidates(known.scores, fresh=np.zeros(200, dtype=bool), drawn=np.arange(200) < 195)
    chosen = choose(nothing_fresh, 50, load_labeling(), 1)
    assert {choice.row for choice in chosen} == set(range(195, 200))
    assert {choice.strategy for choice in chosen} == {"random"}


def test_every_message_is_equally_likely_to_be_drawn():
    overrides = ("mix.coverage=0", "mix.uncertain=0", "mix.disagreement=0", "mix.rare=0", "mix.audit=0.85")
    labeling, counts = load_labeling(overrides), np.zeros(40)
    pool = many(40)
    for seed in range(300):
        for choice in choose(pool, 20, labeling, seed):
            counts[choice.row] += choice.strategy == "random"
    assert counts.sum() == 300 * 3
    assert counts.min() > 6  # 22 are expected of each; a chi-square would say the same at greater length


def test_the_same_seed_chooses_the_same_batch():
    assert choose(many(), 30, load_labeling(), 7) == choose(many(), 30, load_labeling(), 7)


def test_fewer_candidates_than_wanted_are_all_taken_once():
    assert sorted(choice.row for choice in choose(many(5), 50, load_labeling(), 1)) == [0, 1, 2, 3, 4]
