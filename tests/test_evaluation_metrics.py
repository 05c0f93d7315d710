"""The figures agree with hand-computed values and with scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss, f1_score, precision_recall_fscore_support, roc_auc_score

from evaluation.metrics import (
    brier,
    calibration_error,
    coverage_at,
    doubt_auroc,
    lenient,
    macro_f1,
    per_class_f1,
    precision_recall,
)

CLASSES = 4
pairs_of_ids = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*[arrays(np.int64, n, elements=st.integers(0, CLASSES - 1)) for _ in "tf"])
)
sure_and_right = st.integers(1, 80).flatmap(
    lambda n: st.tuples(arrays(float, n, elements=st.floats(0, 1)), arrays(np.int64, n, elements=st.integers(0, 1)))
)


def test_f1_by_hand():
    true, found = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert per_class_f1(true, found, 2) == pytest.approx([0.8, 2 / 3])
    assert macro_f1(true, found, 2) == pytest.approx((0.8 + 2 / 3) / 2)


@settings(deadline=None, max_examples=40)
@given(pairs_of_ids)
def test_precision_recall_and_f1_are_those_of_scikit_learn(ids):
    true, found = ids
    ours = [*precision_recall(true, found, CLASSES), per_class_f1(true, found, CLASSES)]
    theirs = precision_recall_fscore_support(true, found, labels=range(CLASSES), zero_division=0)
    for one, other in zip(ours, theirs, strict=False):
        assert one == pytest.approx(other)
    present = np.unique(true)  # a class without a row says nothing
    assert macro_f1(true, found, CLASSES) == pytest.approx(f1_score(true, found, labels=present, average="macro"))


def test_a_defensible_answer_counts_as_right_only_in_the_lenient_score():
    true, found = np.array([0, 1, 2]), np.array([1, 1, 0])
    forgiven = lenient(true, found, [[1], [], [3]])
    assert forgiven.tolist() == [1, 1, 2]


@settings(deadline=None, max_examples=40)
@given(pairs_of_ids)
def test_lenient_never_scores_below_strict_accuracy(ids):
    true, found = ids
    forgiven = lenient(true, found, [[int(one)] if i % 2 else [] for i, one in enumerate(found)])
    assert (forgiven == found).mean() >= (true == found).mean()


def test_calibration_error_by_hand():
    confidence, correct = np.array([0.5, 0.5, 0.9, 0.9]), np.array([1.0, 0.0, 1.0, 0.0])
    assert calibration_error(confidence, correct, bins=2) == pytest.approx((0.0 + 0.4) / 2)


@settings(deadline=None, max_examples=40)
@given(sure_and_right)
def test_calibration_error_lies_between_the_overall_gap_and_one(given_):
    confidence, correct = given_
    error = calibration_error(confidence, correct.astype(float))
    assert abs(confidence.mean() - correct.mean()) - 1e-9 <= error <= 1.0


def test_calibration_error_of_honest_confidence_is_small():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1, 20_000)
    assert calibration_error(confidence, (rng.uniform(size=20_000) < confidence).astype(float)) < 0.02


def test_brier_is_twice_the_binary_one():
    rng = np.random.default_rng(1)
    positive, true = rng.uniform(size=50), rng.integers(0, 2, 50)
    both = np.column_stack([1 - positive, positive])
    assert brier(both, true) == pytest.approx(2 * brier_score_loss(true, positive))


def test_coverage_takes_the_surest_down_to_the_last_point_that_holds():
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    assert coverage_at(0.95, confidence, np.array([1, 1, 0, 1])) == 0.5
    assert coverage_at(0.75, confidence, np.array([1, 0, 1, 1])) == 1.0
    assert coverage_at(0.95, confidence, np.array([0, 1, 1, 1])) == 0.0


@settings(deadline=None, max_examples=40)
@given(sure_and_right)
def test_coverage_falls_as_more_precision_is_asked(given_):
    confidence, correct = given_
    assert coverage_at(0.9, confidence, correct) <= coverage_at(0.5, confidence, correct)


def test_doubt_ranks_what_belongs_nowhere():
    assert doubt_auroc(np.array([0.1, 0.2, 0.9]), np.array([0.0, 0.0, 1.0])) == 1.0
    assert np.isnan(doubt_auroc(np.array([0.1, 0.2]), np.array([0.0, 0.0])))


@settings(deadline=None, max_examples=40)
@given(sure_and_right)
def test_the_area_is_that_of_scikit_learn_ties_included(given_):
    doubt, outside = np.round(given_[0], 1), given_[1]
    if 0 < outside.sum() < len(outside):
        assert doubt_auroc(doubt, outside) == pytest.approx(roc_auc_score(outside, doubt))
