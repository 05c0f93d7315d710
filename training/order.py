"""The order in which rows are learnt: a function of seed, epoch and lengths alone.

So a resumed run goes on in the same order, and several processes share the batches that one would have had.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

_POOL = 50  # batches sorted by length together: long enough to pad little, short enough to mix the rows


class LengthOrder(Sampler[int]):
    """Positions of rows, a new order each epoch, in batches of like length; only the last batch may be short."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths, self._batch_size, self._seed, self._epoch = np.asarray(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; the Trainer calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        draw = np.random.default_rng([self._seed, self._epoch])
        mixed, size = draw.permutation(len(self._lengths)), self._batch_size
        pools = (mixed[at : at + _POOL * size] for at in range(0, len(mixed), _POOL * size))
        order = np.concatenate([pool[np.argsort(-self._lengths[pool], kind="stable")] for pool in pools])
        whole = len(order) // size
        for number in draw.permutation(whole):
            yield from order[number * size : (number + 1) * size].tolist()
        yield from order[whole * size :].tolist()
