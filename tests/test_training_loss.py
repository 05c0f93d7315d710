"""The loss: falls with being right, ignores labels where there is none, and R-Drop rewards agreement."""

import pytest
import torch

from configs.recipe import Recipe
from training.loss import agreement_loss, classification_loss

PLAIN = {
    "name": "t",
    "epochs": 1,
    "learning_rate": 1e-3,
    "label_smoothing": 0.0,
    "doubt_weight": 0.0,
    "outlier_exposure": 0.0,
}


def _loss(logits, targets, doubt=(0.0,), doubt_logits=(0.0,), weights=(1.0, 1.0), counts=None, **changes) -> float:
    recipe = Recipe.model_validate(PLAIN | changes)
    counts = counts or [1.0] * len(logits)
    given = (torch.tensor(value) for value in (logits, doubt_logits, targets, doubt, counts, weights))
    return float(classification_loss(*given, recipe))


def test_being_right_costs_less_than_being_wrong():
    assert _loss([[3.0, 0.0]], [[1.0, 0.0]]) < _loss([[0.0, 3.0]], [[1.0, 0.0]])


def test_without_smoothing_it_is_cross_entropy_times_the_class_weight():
    logits, expected = [[1.0, -1.0]], torch.nn.functional.cross_entropy(torch.tensor([[1.0, -1.0]]), torch.tensor([1]))
    assert _loss(logits, [[0.0, 1.0]], weights=(1.0, 2.5)) == pytest.approx(2.5 * float(expected), rel=1e-5)


def test_a_message_that_belongs_nowhere_teaches_no_label():
    one = _loss([[3.0, 0.0]], [[1.0, 0.0]])
    both = _loss([[3.0, 0.0], [9.0, -9.0]], [[1.0, 0.0], [0.0, 0.0]], (0.0, 1.0), (0.0, 0.0))
    assert both == pytest.approx(one)


def test_what_counts_twice_weighs_twice():
    right_wrong = {"logits": [[3.0, 0.0], [3.0, 0.0]], "targets": [[1.0, 0.0], [0.0, 1.0]], "doubt": (0.0, 0.0)}
    alike = _loss(**right_wrong, doubt_logits=(0.0, 0.0))
    assert _loss(**right_wrong, doubt_logits=(0.0, 0.0), counts=[0.5, 1.5]) > alike
    assert _loss(**right_wrong, doubt_logits=(0.0, 0.0), counts=[1.5, 0.5]) < alike


def test_outlier_exposure_asks_for_even_scores_there():
    outside = {"targets": [[0.0, 0.0]], "doubt": (1.0,), "outlier_exposure": 1.0}
    assert _loss([[0.0, 0.0]], **outside) < _loss([[4.0, 0.0]], **outside)


def test_doubt_is_learnt_on_every_message():
    assert _loss([[0.0, 0.0]], [[1.0, 0.0]], (0.0,), (-3.0,), doubt_weight=1.0) < _loss(
        [[0.0, 0.0]], [[1.0, 0.0]], (0.0,), (3.0,), doubt_weight=1.0
    )


def test_agreement_is_free_and_disagreement_symmetric():
    one, two = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert float(agreement_loss(one, one)) == pytest.approx(0, abs=1e-6)
    assert (
        float(agreement_loss(one, two)) == pytest.approx(float(agreement_loss(two, one)))
        and agreement_loss(one, two) > 0
    )
