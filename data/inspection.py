"""One pass over labelled rows that gathers what the checks judge; texts are held as their essence only."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from data.clean import clean, is_empty
from data.language import is_unsupported
from data.neighbours import bands_of, essence, likeness, pieces
from data.personal import personal_data
from data.snapshot import SnapshotRow

_EXAMPLES = 5


@dataclass
class Tally:
    """How many rows something is true of, with the first few ids."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, message_id: str) -> None:
        """Count a row."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(message_id)


@dataclass
class Facts:
    """What is true of the rows as a whole."""

    rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    sides: dict[str, Counter[str]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    authors: Counter[str] = field(default_factory=Counter)
    empty: Tally = field(default_factory=Tally)
    foreign: Tally = field(default_factory=Tally)
    personal: Tally = field(default_factory=Tally)
    disputed: Tally = field(default_factory=Tally)
    twins: Tally = field(default_factory=Tally)
    near: Tally = field(default_factory=Tally)
    conflicts: Tally = field(default_factory=Tally)
    leaks: Tally = field(default_factory=Tally)


def inspect(rows: Iterable[SnapshotRow], near_duplicate: float) -> Facts:
    """Return what is true of the rows; near duplicates are found anew, not taken from the ledger."""
    facts, seen = Facts(), _Seen(near_duplicate)
    for row in rows:
        _count(facts, row)
        _read(facts, row)
        seen.look(row, facts)
    return facts


def _count(facts: Facts, row: SnapshotRow) -> None:
    facts.rows += 1
    facts.labels[row.label] += 1
    facts.kinds[row.kind] += 1
    facts.sides.setdefault(row.side, Counter())[row.label] += 1
    if row.message.author:
        facts.authors[row.message.author] += 1
    if row.disputed:
        facts.disputed.add(row.message.id)


def _read(facts: Facts, row: SnapshotRow) -> None:
    cleaned = clean(row.message.text)
    if is_empty(cleaned):
        facts.empty.add(row.message.id)
    elif is_unsupported(cleaned):
        facts.foreign.add(row.message.id)
    if personal_data(row.message.text):
        facts.personal.add(row.message.id)


class _Seen:
    """What earlier rows were, to compare later ones with."""

    def __init__(self, near_duplicate: float) -> None:
        self._near_duplicate = near_duplicate
        self._labels: dict[str, str] = {}
        self._bands: dict[int, str] = {}
        self._sides: dict[tuple[str, str], str] = {}

    def look(self, row: SnapshotRow, facts: Facts) -> None:
        text = essence(row.message.text)
        if text in self._labels:
            facts.twins.add(row.message.id)
            if self._labels[text] != row.label:
                facts.conflicts.add(row.message.id)
            like = text
        else:
            like = self._like(text)
            if like:
                facts.near.add(row.message.id)
            if text:
                self._labels[text] = row.label
        if self._is_leak(row, like or text):
            facts.leaks.add(row.message.id)

    def _like(self, text: str) -> str:
        """Return an earlier text that this one is a near duplicate of, and remember this one."""
        parts = pieces(text)
        found = ""
        for band in bands_of(parts):
            other = self._bands.setdefault(band, text)
            if not found and other != text and likeness(parts, pieces(other)) >= self._near_duplicate:
                found = other
        return found

    def _is_leak(self, row: SnapshotRow, text: str) -> bool:
        """Return whether an earlier row that belongs with this one is on the other side."""
        if row.side not in ("train", "test"):
            return False
        names = (("text", text), ("author", row.message.author), ("thread", row.message.thread_id))
        first = [self._sides.setdefault(name, row.side) for name in names if name[1]]  # all, not up to the first
        return any(side != row.side for side in first)
