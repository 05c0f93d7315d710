"""One pass over labelled rows that gathers what the checks judge; in memory only counts, one an author among them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field

from configs.errors import SwitchboardError
from data.clean import clean, is_empty
from data.language import is_unsupported
from data.neighbours import bands_of, essence, likeness, pieces
from data.personal import personal_data
from data.snapshot import SnapshotRow

_EXAMPLES = 5
_CANDIDATES = 16  # compared with each new text, and found under one band; bounds the time spent on templates
_CACHE = -65536  # KiB held in memory before the temporary file is written to
_TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT UNIQUE, label TEXT);
CREATE TABLE bands (band INTEGER, number INTEGER, PRIMARY KEY (band, number)) WITHOUT ROWID;
CREATE TABLE sides (kind TEXT, name TEXT, side TEXT, PRIMARY KEY (kind, name)) WITHOUT ROWID;
BEGIN;
"""
_MET = "SELECT band, number FROM bands WHERE band IN (SELECT value FROM json_each(?)) ORDER BY number"


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
    facts = Facts()
    with closing(sqlite3.connect("", isolation_level=None)) as store:  # no name: a file of its own, gone when closed
        seen = _Seen(store, near_duplicate)
        for row in rows:
            _count(facts, row)
            _read(facts, row)
            try:
                seen.look(row, facts)
            except sqlite3.OperationalError as error:
                raise SwitchboardError(
                    f"row {facts.rows}: the temporary file of what was read cannot be written ({error}); free some space "
                    "there, or name a folder that has some in SQLITE_TMPDIR"
                ) from None
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
    """What earlier rows were, to compare later ones with: in a temporary file, so that memory stays bounded."""

    def __init__(self, store: sqlite3.Connection, near_duplicate: float) -> None:
        self._store = store
        self._near_duplicate = near_duplicate
        self._store.execute(f"PRAGMA cache_size = {_CACHE}")
        self._store.executescript(_TABLES)

    def look(self, row: SnapshotRow, facts: Facts) -> None:
        text = essence(row.message.text)
        if label := self._value("SELECT label FROM texts WHERE text = ?", text):
            facts.twins.add(row.message.id)
            if label != row.label:
                facts.conflicts.add(row.message.id)
            like = ""
        else:
            like = self._like(text, row.label)
            if like:
                facts.near.add(row.message.id)
        if self._is_leak(row, {text, like}):
            facts.leaks.add(row.message.id)

    def _like(self, text: str, label: str) -> str:
        """Return an earlier text that this one is a near duplicate of, the first found, and remember this one."""
        if not text:
            return ""
        parts = pieces(text)
        bands = bands_of(parts)
        met = self._store.execute(_MET, [json.dumps(bands)]).fetchall()
        number = self._store.execute("INSERT INTO texts (text, label) VALUES (?, ?)", [text, label]).lastrowid
        full = Counter(band for band, _ in met)
        free = [(band, number) for band in set(bands) if full[band] < _CANDIDATES]
        self._store.executemany("INSERT INTO bands VALUES (?, ?)", free)
        shared = Counter(number for _, number in met)  # of equals the earliest first, as they were met
        likest = (
            self._value("SELECT text FROM texts WHERE number = ?", one) for one, _ in shared.most_common(_CANDIDATES)
        )
        return next((other for other in likest if likeness(parts, pieces(other)) >= self._near_duplicate), "")

    def _is_leak(self, row: SnapshotRow, texts: set[str]) -> bool:
        """Return whether an earlier row that belongs with this one, by its own or a like text, is on the other side."""
        if row.side not in ("train", "test"):
            return False
        names = [("author", row.message.author), ("thread", row.message.thread_id), *(("text", text) for text in texts)]
        given = [name for name in names if name[1]]
        self._store.executemany("INSERT OR IGNORE INTO sides VALUES (?, ?, ?)", [(*name, row.side) for name in given])
        first = [self._value("SELECT side FROM sides WHERE kind = ? AND name = ?", *name) for name in given]
        return any(side != row.side for side in first)

    def _value(self, query: str, *given: str | int) -> str:
        found = self._store.execute(query, given).fetchone()
        return found[0] if found else ""
