"""Calibration: known temperatures, priors and doubts are found again, and thresholds follow the costs."""

import numpy as np
import pytest

from configs.playbook import load_playbook
from configs.taxonomy import load_taxonomy
from training.bundle import Calibration
from training.calibration import cost_thresholds, fit_doubt, fit_temperature, mix_of, prior_bias
from training.scores import scores_of

LABELS = load_taxonomy().labels


def _drawn(logits: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return labels drawn from the softmax of logits, which therefore are calibrated for them."""
    scores = scores_of(logits, Calibration())
    return np.array([np.random.default_rng(seed + i).choice(len(row), p=row) for i, row in enumerate(scores)])


@pytest.mark.parametrize("known", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_found_again(known: float):
    logits = np.random.default_rng(1).normal(0, 2, (4000, 4))
    assert fit_temperature(logits * known, _drawn(logits)) == pytest.approx(known, rel=0.1)


def test_weights_decide_which_rows_the_temperature_serves():
    logits = np.random.default_rng(2).normal(0, 2, (3000, 4))
    true = _drawn(logits)
    both = np.concatenate([logits, logits * 3])
    weights = np.concatenate([np.zeros(3000), np.ones(3000)])
    assert fit_temperature(both, np.tile(true, 2), weights) == pytest.approx(3, rel=0.1)


def test_prior_bias_turns_one_mix_into_another():
    trained, deployed = np.array([10.0, 10.0]), np.array([0.9, 0.1])
    bias = prior_bias(trained, deployed)
    even = scores_of(np.zeros((1, 2)), Calibration(bias=tuple(bias)))
    np.testing.assert_allclose(even, [[0.9, 0.1]], atol=1e-9)
    assert prior_bias(trained, trained) == pytest.approx([0, 0])


def test_doubt_becomes_the_share_that_belongs_nowhere():
    draw = np.random.default_rng(3)
    outside = draw.random(6000) < 0.5
    logits = draw.normal(np.where(outside, 1.0, -1.0), 1.0)
    scale, shift = fit_doubt(logits, outside, 0.1)
    doubt = 1 / (1 + np.exp(-(scale * logits + shift)))
    assert np.average(doubt, weights=np.where(outside, 0.1, 0.9)) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_rows_that_lie_apart_make_no_step_of_the_doubt(count: int):
    outside = np.arange(112) < count
    logits = np.random.default_rng(3).normal(np.where(outside, 4.0, -1.0), 0.5)
    scale, shift = fit_doubt(logits, outside, 0.12)
    assert 0 < scale < 4
    low, between, high = 1 / (1 + np.exp(-(scale * np.array([-1.0, 1.5, 4.0]) + shift)))
    assert low < 0.1 and low < between < min(0.9, high)


def test_scores_sum_to_one_and_the_temperature_flattens_them():
    logits = np.array([[900.0, 0.0, -900.0], [1.0, 0.5, 0.0]])
    sharp, flat = scores_of(logits, Calibration()), scores_of(logits, Calibration(temperature=3.0))
    assert np.isfinite(sharp).all() and sharp.sum(axis=1) == pytest.approx([1, 1])
    assert flat[1].max() < sharp[1].max()


def _thresholds(
    called: int, true: int, change: dict[str, float] | None = None, label: str = "spam"
) -> dict[str, float]:
    playbook = load_playbook()
    if change:
        costs = {**playbook.costs, label: playbook.costs[label].model_copy(update=change)}
        playbook = playbook.model_copy(update={"costs": costs})
    scores = np.full((200, len(LABELS)), 0.01)
    scores[:, called] = 0.9
    return cost_thresholds(scores, np.full(200, true), LABELS, playbook, 0.5).auto


def test_a_dearer_misrouting_asks_for_a_surer_score():
    spam = LABELS.index("spam")
    cheap, dear = (_thresholds(spam, spam, {"misrouted": cost})["spam"] for cost in (2.0, 30.0))
    assert cheap < dear


def test_what_is_lost_in_a_label_raises_its_threshold():
    spam, fraud, praise = (LABELS.index(name) for name in ("spam", "fraud", "praise"))
    assert _thresholds(spam, fraud)["spam"] > _thresholds(spam, praise)["spam"]


def test_thresholds_record_the_playbook_and_stay_within_sense():
    playbook = load_playbook()
    found = cost_thresholds(np.full((1, 8), 0.125), np.zeros(1, dtype=int), LABELS, playbook, 0.4)
    assert found.playbook_version == playbook.version and found.out_of_scope == 0.4
    assert set(found.auto) == set(LABELS) and all(0.5 <= value <= 0.99 for value in found.auto.values())


def test_a_mix_is_brought_to_sum_to_one_in_class_order():
    shares = {label: float(number + 1) for number, label in enumerate(LABELS)}
    assert mix_of(shares, LABELS) == pytest.approx(np.arange(1, 9) / 36)
