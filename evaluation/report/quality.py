"""What a page needs to know of the ledger's labels: agreement, corrections, live accuracy."""

from typing import Protocol

from labeling.agreement import Agreement
from labeling.corrections import Corrections, LiveAccuracy


class LedgerQuality(Protocol):
    """The quality of what labelers said, and of the model by them."""

    @property
    def agreement(self) -> Agreement: ...  # noqa: D102
    @property
    def shown(self) -> Corrections: ...  # noqa: D102
    @property
    def blind(self) -> Corrections: ...  # noqa: D102
    @property
    def live(self) -> LiveAccuracy: ...  # noqa: D102
