"""The order of rows: each once an epoch, like lengths together, the same for a seed, another each epoch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.order import LengthOrder


@given(st.lists(st.integers(1, 90), min_size=1, max_size=300), st.integers(1, 40), st.integers(0, 5))
def test_every_row_stands_once_in_an_epoch(lengths: list[int], batch: int, epoch: int):
    order = LengthOrder(lengths, batch, seed=1)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(len(lengths))) and len(order) == len(lengths)


def test_an_epoch_can_be_entered_from_anywhere():
    lengths = np.random.default_rng(0).integers(5, 90, 500).tolist()
    one, other = LengthOrder(lengths, 16, 7), LengthOrder(lengths, 16, 7)
    first = list(one)
    one.set_epoch(3)
    other.set_epoch(3)
    assert list(one) == list(other) != first
    assert list(LengthOrder(lengths, 16, 8)) != first


def test_batches_hold_like_lengths():
    lengths = np.random.default_rng(0).integers(5, 90, 3200)
    batches = np.array(list(LengthOrder(lengths.tolist(), 32, 7))).reshape(-1, 32)
    padded = lengths[batches].max(axis=1).sum() * 32
    assert padded < 1.1 * lengths.sum()
