"""How good the labels are, and the model by them: agreement, corrections and live accuracy, from the ledger alone."""

from dataclasses import dataclass

from configs.taxonomy import load_taxonomy
from data.ledger import Ledger
from labeling.agreement import Agreement, measure_agreement
from labeling.corrections import Corrections, LiveAccuracy, estimate_live_accuracy, measure_corrections, split_blind
from labeling.standing import standing


@dataclass(frozen=True, slots=True)
class Quality:
    """Agreement of labelers; corrections where the prediction was shown and where it was hidden; live accuracy."""

    agreement: Agreement
    shown: Corrections
    blind: Corrections
    live: LiveAccuracy


def measure_quality(ledger: Ledger) -> Quality:
    """Return the quality of everything labelers said, as it stands now."""
    said = standing(ledger.events.all())
    chosen: dict[str, list] = {}
    for item in ledger.selections.all():
        chosen.setdefault(item.message_id, []).append(item)
    shown, blind = split_blind(said, chosen)
    return Quality(
        measure_agreement(said, load_taxonomy().annotation_values),
        measure_corrections(shown),
        measure_corrections(blind),
        estimate_live_accuracy(said, chosen),
    )
