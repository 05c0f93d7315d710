"""What got better and worse from one model to another on the same messages, with the messages that flipped."""

from collections.abc import Sequence
from dataclasses import dataclass

from configs.taxonomy import NONE
from evaluation.intervals import Difference, differences
from evaluation.score import Scored

# Where less is better; of every other figure more is.
LESS_IS_BETTER = ("calibration_error", "brier", "spam_sink", "fraud_sunk")


@dataclass(frozen=True, slots=True)
class Flip:
    """A message that one model gets right and the other wrong."""

    text: str
    true: str
    before: str
    after: str
    confidence: float
    mended: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every figure of both models with the interval of its change, and the messages that flipped, surest first."""

    figures: dict[str, Difference]
    flips: tuple[Flip, ...]

    def flips_of(self, label: str, mended: bool) -> list[Flip]:
        """Return the flips of one true label, those mended or those broken."""
        return [flip for flip in self.flips if flip.true == label and flip.mended == mended]


def compare(before: Scored, after: Scored) -> Comparison:
    """Return the comparison of two models scored on the same messages."""
    found = differences(before.answers(), after.answers(), before.labels)
    return Comparison(found, tuple(sorted(_flips(before, after), key=lambda flip: -flip.confidence)))


def verdict_of(name: str, found: Difference) -> str:
    """Return `better`, `worse` or `no sure change` for a figure."""
    if not found.certain:
        return "no sure change"
    return "better" if (found.change > 0) != name.startswith(LESS_IS_BETTER) else "worse"


def _flips(before: Scored, after: Scored) -> Sequence[Flip]:
    flips = []
    for row, old, new in zip(before.rows, before.judgements, after.judgements, strict=True):
        if row.label != NONE and (old.label == row.label) != (new.label == row.label):
            flips.append(Flip(row.message.text, row.label, old.label, new.label, new.confidence,
                              new.label == row.label))  # fmt: skip
    return flips
