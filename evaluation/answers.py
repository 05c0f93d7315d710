"""A model's answers on labelled messages as arrays, so that any subset or resample of them is cheap."""

from dataclasses import dataclass, fields

import numpy as np

OUTSIDE = -1  # the class id of what belongs nowhere


@dataclass(frozen=True, slots=True)
class Answers:
    """One entry a message; `true` is a class id or OUTSIDE, `forgiven` is `true`, or `found` where it is defensible."""

    true: np.ndarray
    found: np.ndarray
    forgiven: np.ndarray
    scores: np.ndarray
    doubt: np.ndarray
    auto: np.ndarray

    def __len__(self) -> int:
        return len(self.true)

    @property
    def confidence(self) -> np.ndarray:
        """The calibrated score of the label found."""
        return self.scores[np.arange(len(self)), self.found]

    @property
    def right(self) -> np.ndarray:
        """Whether the label found is the true one; never for what belongs nowhere."""
        return self.true == self.found

    @property
    def is_outside(self) -> np.ndarray:
        """Whether the message belongs nowhere."""
        return self.true == OUTSIDE

    def at(self, positions: np.ndarray) -> "Answers":
        """Return the answers at these positions, which may repeat, or where a mask is true."""
        return Answers(*(getattr(self, part.name)[positions] for part in fields(self)))

    def inside(self) -> "Answers":
        """Return the answers on messages that have one of the labels."""
        return self.at(~self.is_outside)
