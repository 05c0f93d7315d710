"""Targets: one-hot or shared with defensible labels; `none` teaches doubt and no label."""

import numpy as np
import pytest

from data.messages import LabelledMessage, Message
from training.targets import class_weights, soft_targets

LABELS = ("a", "b", "c")


def _row(label: str, *second: str) -> LabelledMessage:
    return LabelledMessage(Message("text", "m"), label, second)


def test_a_plain_label_is_one_hot_without_doubt():
    targets, doubt = soft_targets([_row("b")], LABELS, 0.2)
    assert targets.tolist() == [[0, 1, 0]] and doubt.tolist() == [0]


def test_other_defensible_labels_share_the_second_share():
    targets, _ = soft_targets([_row("a", "b"), _row("a", "b", "c")], LABELS, 0.2)
    np.testing.assert_allclose(targets, [[0.8, 0.2, 0], [0.8, 0.1, 0.1]], atol=1e-6)


def test_none_has_no_label_and_full_doubt_and_as_second_it_gives_some():
    targets, doubt = soft_targets([_row("none"), _row("a", "none")], LABELS, 0.2)
    np.testing.assert_allclose(targets, [[0, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(doubt, [1, 0.2])


@pytest.mark.parametrize(("scheme", "ratio"), [("none", 1), ("sqrt", 3), ("inverse", 9)])
def test_rare_labels_weigh_more_and_the_mean_message_weighs_one(scheme: str, ratio: float):
    targets = np.repeat(np.eye(3, dtype=np.float32), (90, 10, 10), axis=0)
    weights = class_weights(targets, scheme)
    assert weights[1] / weights[0] == pytest.approx(ratio)
    assert (targets @ weights).mean() == pytest.approx(1)


def test_a_label_that_nobody_gave_has_a_finite_weight():
    assert np.isfinite(class_weights(np.array([[1.0, 0.0]]), "inverse")).all()
