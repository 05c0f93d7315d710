"""The predictor: the same answer alone or in a batch, in the order asked, for whatever a text may be."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bundles import GOLDEN_TEXTS
from training.predictor import Predictor, length_batches

ODD_TEXTS = ["", " ", "\x00\x07", "🎉" * 40, "scam " * 5000, "где мой заказ", "a\nb\tc", "@x https://t.co/a"]
TEXTS = [*GOLDEN_TEXTS, *ODD_TEXTS, "worst " * 7, "please"]


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    return Predictor(tiny_bundle, threads=1)


def test_a_batch_answers_as_one_by_one(predictor: Predictor):
    together = predictor.predict(TEXTS)
    alone = [predictor.predict([text]) for text in TEXTS]
    np.testing.assert_allclose(together.scores, np.concatenate([one.scores for one in alone]), atol=1e-6)
    np.testing.assert_allclose(together.doubt, np.concatenate([one.doubt for one in alone]), atol=1e-6)


def test_scores_sum_to_one_whatever_the_text(predictor: Predictor):
    found = predictor.predict(ODD_TEXTS)
    assert found.scores.sum(axis=1) == pytest.approx(np.ones(len(ODD_TEXTS)))
    assert ((found.doubt >= 0) & (found.doubt <= 1)).all()


def test_golden_messages_get_their_own_label(predictor: Predictor):
    predictor.check_golden()
    found = predictor.predict(GOLDEN_TEXTS).scores.argmax(axis=1)
    assert found.tolist() == list(range(len(predictor.info.labels)))


def test_nothing_asked_nothing_answered(predictor: Predictor):
    found = predictor.predict([])
    assert found.scores.shape == (0, len(predictor.info.labels)) and found.doubt.shape == (0,)


def test_threads_may_share_one_predictor(predictor: Predictor):
    expected = predictor.predict(TEXTS).scores
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: predictor.predict(TEXTS).scores, range(20)):
            np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.lists(st.integers(0, 90), max_size=60), st.integers(1, 300))
def test_batches_hold_every_position_once_within_bounds(lengths: list[int], bound: int):
    batches = length_batches(lengths, bound)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[position] for position in batch) * len(batch) <= bound
