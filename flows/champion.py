"""The champion beside a challenger: examined on the same rows, where it can be."""

from collections.abc import Callable

from configs.paths import published_dir
from data.messages import LabelledMessage
from evaluation.candidate import Candidate, examine
from training.bundle import BundleError
from training.predictor import Predictor
from training.publish import Champion


def examine_champion(champion: Champion, rows: list[LabelledMessage], say: Callable[[str], None]) -> Candidate | None:
    """Return the champion examined on rows, or None, and say why, where it speaks another taxonomy or is damaged."""
    say("judging the champion on the same messages")
    try:
        return examine(Predictor(published_dir() / champion.folder), rows)
    except BundleError as error:
        say(f"the champion cannot be compared: {error}")
        return None
