"""How good the labels are, and the model by them: agreement, corrections and live accuracy, from the ledger alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SwitchboardError
from configs.paths import database_url
from configs.taxonomy import load_taxonomy
from data.ledger import Ledger, open_ledger
from labeling.agreement import Agreement, measure_agreement
from labeling.corrections import Corrections, LiveAccuracy, estimate_live_accuracy, measure_corrections, split_blind
from labeling.standing import standing

Say = Callable[[str], None]


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


def quality_or_none(ledger: Ledger) -> Quality | None:
    """Return the quality of what labelers said, or None where they have said nothing and nothing waits for them."""
    found = measure_quality(ledger)
    return found if found.agreement.messages or found.live.drawn else None


def ledger_quality(say: Say) -> Quality | None:
    """Return the quality of the configured ledger's labels, or None where there is no ledger or nothing in it."""
    url = database_url()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    try:
        with open_ledger(url) as ledger:
            return quality_or_none(ledger)
    except SwitchboardError as error:  # a report on a model is worth having without it
        say(f"the ledger cannot be read, the report goes without it: {error}")
        return None
