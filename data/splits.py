"""Drawing the side of new messages so that nothing alike, nobody and no talk is on both sides.

The first message of a near-duplicate group, thread or author draws; later ones follow it. One that would belong to
both sides (a bridge) is quarantined: kept, but neither trained on nor scored. Sides are stored and never move, so the
test side only grows; it is never trained on.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from configs.dataset import DatasetConfig, load_dataset_config
from data.corpus import SEED_SOURCE
from data.ledger import Ledger, StoredMessage
from data.ledger.sides import QUARANTINED, TEST, TRAIN, Placed
from data.messages import Message
from data.neighbours import bands_of, essence, likeness, pieces

_BATCH = 500
_SAME = 0.95  # a text this like one that can be found need not be found itself
_CANDIDATES = 30  # compared with each new text; bounds the time spent on templates
_LINKS = ("thread_id", "author")


def place_new(ledger: Ledger, config: DatasetConfig | None = None) -> int:
    """Give every labelled message without a side its side, in the order they came; return how many there were."""
    config = config or load_dataset_config()
    placed = 0
    while True:
        with ledger.database.writing_alone():
            ids = ledger.sides.unplaced(_BATCH)
            if not ids:
                return placed
            found = ledger.messages.get(ids)
            batch = [found[key] for key in ids]
            ledger.sides.save(_Placing(ledger, batch, config).place(batch))
        placed += len(ids)


def draw(message_id: str, test_share: float) -> str:
    """Return the side that a message draws for its group: the same for the same id."""
    bucket = int(hashlib.sha256(message_id.encode()).hexdigest()[:8], 16) % 100
    return TEST if bucket < round(100 * test_share) else TRAIN


@dataclass(slots=True)
class _Near:
    """A text that others can be found to be like."""

    group: str
    parts: frozenset[str]


@dataclass
class _Sides:
    """The sides taken by each thread, author, group and message: as stored, and as this batch goes on."""

    taken: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def load(self, kind: str, sides: Mapping[str, set[str]]) -> None:
        for name, of in sides.items():
            self.taken.setdefault((kind, name), set()).update(of)

    def claim(self, names: Sequence[tuple[str, str]]) -> set[str]:
        return set().union(*(self.taken.get(name, set()) for name in names))


class _Placing:
    """One batch on its way; holds what is stored about everything the batch could be linked to."""

    def __init__(self, ledger: Ledger, batch: Sequence[StoredMessage], config: DatasetConfig) -> None:
        self._config = config
        self._parts = {stored.message.id: pieces(essence(stored.message.text)) for stored in batch}
        self._bands = {key: bands_of(parts) for key, parts in self._parts.items()}
        self._alike = ledger.sides.alike(band for of in self._bands.values() for band in of)
        likest = {key for of in self._bands.values() for key in _likest(of, self._alike)}  # the others are never read
        stored = ledger.messages.get(likest)
        self._near = {key: _Near(one.near_group, pieces(essence(one.message.text))) for key, one in stored.items()}
        self._sides = _Sides()
        for column in _LINKS:
            self._sides.load(column, ledger.sides.by(column, [getattr(one.message, column) for one in batch]))
        self._sides.load("near_group", ledger.sides.by("near_group", {near.group for near in self._near.values()}))
        self._sides.load("id", ledger.sides.by("id", [one.message.parent_id for one in batch]))
        self._sides.load("parent_id", ledger.sides.by("parent_id", [one.message.id for one in batch]))

    def place(self, batch: Sequence[StoredMessage]) -> Iterator[Placed]:
        """Yield each message with its side, in order."""
        for stored in batch:
            yield self._place(stored.message)

    def _place(self, message: Message) -> Placed:
        key, parts = message.id, self._parts[message.id]
        matches = self._matches(key, parts)
        groups = [self._near[match].group for match, _ in matches] or [key]
        links = [("near_group", group) for group in dict.fromkeys(groups)] + _links(message)
        claimed = self._sides.claim(links)
        side = QUARANTINED if len(claimed) > 1 else claimed.pop() if claimed else self._draw(message)
        if side != QUARANTINED:
            own = [("near_group", groups[0]), *((name, getattr(message, name)) for name in _LINKS), ("id", key)]
            for name in [*own, ("parent_id", message.parent_id)]:
                if name[1]:
                    self._sides.taken.setdefault(name, set()).add(side)
        found_again = bool(matches) and max(like for _, like in matches) >= _SAME
        bands = () if found_again else tuple(self._bands[key])
        if bands:
            self._near[key] = _Near(groups[0], parts)
            for band in bands:
                self._alike.setdefault(band, set()).add(key)
        return Placed(key, side, groups[0], bands)

    def _draw(self, message: Message) -> str:
        seed = message.source == SEED_SOURCE
        return draw(message.id, self._config.seed_test_share if seed else self._config.test_share)

    def _matches(self, key: str, parts: frozenset[str]) -> list[tuple[str, float]]:
        """Return the messages this one is a near duplicate of, the likest first."""
        likest = [other for other in _likest(self._bands[key], self._alike) if other in self._near]
        matches = [(other, likeness(parts, self._near[other].parts)) for other in likest]
        near = [match for match in matches if match[1] >= self._config.near_duplicate]
        return sorted(near, key=lambda match: (-match[1], match[0]))


def _likest(bands: Sequence[int], alike: Mapping[int, set[str]]) -> list[str]:
    """Return the messages that share most bands, those that share most first."""
    met = Counter(other for band in bands for other in alike.get(band, ()))
    return sorted(met, key=lambda other: (-met[other], other))[:_CANDIDATES]


def _links(message: Message) -> list[tuple[str, str]]:
    names = [(name, getattr(message, name)) for name in _LINKS]
    return [name for name in [*names, ("id", message.parent_id), ("parent_id", message.id)] if name[1]]
