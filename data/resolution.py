"""From what several people said of a message to one label, the same way every time.

1. Of each annotator's sayings on a subject only the last stands; a retraction leaves nothing standing, a skip no vote.
2. The latest standing label of a trusted annotator or origin decides.
3. Else the first origin in the policy's order with a standing label decides: one vote an annotator, the majority wins.
4. In a tie the latest of the tied labels wins, and the label is disputed.
Labels of an earlier taxonomy are read as the migrations say; a dropped label is no saying.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from configs.dataset import Policy
from data.ledger import LabelEvent, StoredEvent

ASKED = ("labeler", "review")  # origins of those who were given messages that were chosen for them
Translations = Mapping[str, Mapping[str, str | None]]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The label that stands, other defensible ones, who decided, whether equals disagreed, and the batches answered in."""

    label: str
    second: tuple[str, ...]
    origin: str
    annotators: tuple[str, ...]
    disputed: bool
    batches: frozenset[str] = frozenset()  # of all that stands by ASKED, whether it decided or not; "": not known


def resolve(events: Sequence[StoredEvent], policy: Policy, translations: Translations) -> Resolved | None:
    """Return the label of the message these events are about, or None when nobody's label stands."""
    standing = _standing(events, translations)
    votes = _last_of_each(standing)
    batches = frozenset(vote.batch for vote in standing if vote.origin in ASKED)
    trusted = [
        vote for vote in votes if vote.origin in policy.trusted_origins or vote.annotator in policy.trusted_annotators
    ]
    if trusted:
        return _decide(trusted[-1:], batches)
    for origin in policy.origins:
        if mine := [vote for vote in votes if vote.origin == origin]:
            return _decide(mine, batches)
    return None


def _standing(events: Sequence[StoredEvent], translations: Translations) -> list[LabelEvent]:
    """Return the last label of each annotator on each subject, oldest first."""
    ordered = [stored.event for stored in sorted(events, key=lambda stored: (stored.event.at, stored.seq))]
    by_subject: dict[tuple[str, str, str], LabelEvent] = {}
    for event in ordered:
        key = (event.annotator, event.origin, event.subject)
        by_subject.pop(key, None)  # so that the order is that of the last saying
        by_subject[key] = event
    labels = (_translate(event, translations) for event in by_subject.values() if event.kind == "label")
    return [label for label in labels if label is not None]


def _last_of_each(standing: Sequence[LabelEvent]) -> list[LabelEvent]:
    """Return each annotator's one vote, oldest first."""
    by_annotator: dict[tuple[str, str], LabelEvent] = {}
    for label in standing:
        by_annotator.pop((label.annotator, label.origin), None)
        by_annotator[label.annotator, label.origin] = label
    return list(by_annotator.values())


def _translate(event: LabelEvent, translations: Translations) -> LabelEvent | None:
    read = translations.get(event.taxonomy_version, {})
    label = read.get(event.label)
    if label is None:
        return None
    second = tuple(dict.fromkeys(now for name in event.second if (now := read.get(name)) is not None))
    return replace(event, label=label, second=second)


def _decide(votes: Sequence[LabelEvent], batches: frozenset[str]) -> Resolved:
    counts = Counter(vote.label for vote in votes)
    most = max(counts.values())
    tied = {label for label, count in counts.items() if count == most}
    label = next(vote.label for vote in reversed(votes) if vote.label in tied)
    others = [name for vote in votes for name in (vote.label, *vote.second) if name != label]
    annotators = tuple(sorted({vote.annotator for vote in votes if vote.label == label}))
    return Resolved(label, tuple(dict.fromkeys(others)), votes[0].origin, annotators, len(tied) > 1, batches)
