"""Drawing the side of new messages so that nothing alike, nobody and no talk is on both sides.

The first message of a near-duplicate group, thread or author draws; later ones follow it. One that would belong to
both sides (a bridge) is quarantined: kept, but neither trained on nor scored. Sides are stored and never move, so the
test side only grows; it is never trained on.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from configs.dataset import DatasetConfig, load_dataset_config
from data.corpus import SEED_SOURCE
from data.ledger import Ledger
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
            batch = [_Read.of(found[key].message) for key in ids]
            ledger.sides.save(_Placing(config, *_stored(ledger, batch)).place(batch))
        placed += len(ids)


def sides_alone(messages: Iterable[Message], config: DatasetConfig | None = None) -> dict[str, Placed]:
    """Return where an empty ledger would put these messages, by their ids; nothing is stored."""
    placing, placed = _Placing(config or load_dataset_config()), {}
    for message in messages:
        if message.id not in placed:
            placed[message.id] = placing.place_one(_Read.of(message))
    return placed


def draw(message_id: str, test_share: float) -> str:
    """Return the side that a message draws for its group: the same for the same id."""
    bucket = int(hashlib.sha256(message_id.encode()).hexdigest()[:8], 16) % 100
    return TEST if bucket < round(100 * test_share) else TRAIN


@dataclass(frozen=True, slots=True)
class _Read:
    """A message with its words and the bands under which like ones meet."""

    message: Message
    words: str
    bands: tuple[int, ...]

    @classmethod
    def of(cls, message: Message) -> "_Read":
        words = essence(message.text)
        return cls(message, words, tuple(bands_of(pieces(words))))


@dataclass(frozen=True, slots=True)
class _Near:
    """A text that others can be found to be like."""

    group: str
    words: str


@dataclass
class _Sides:
    """The sides taken by each thread, author, group and message: as stored, and as this batch goes on."""

    taken: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def load(self, kind: str, sides: Mapping[str, set[str]]) -> None:
        for name, of in sides.items():
            self.taken.setdefault((kind, name), set()).update(of)

    def claim(self, names: Sequence[tuple[str, str]]) -> set[str]:
        return set().union(*(self.taken.get(name, set()) for name in names))


@dataclass
class _Texts:
    """The texts that others can be found to be like, and the bands under which they are met."""

    near: dict[str, _Near] = field(default_factory=dict)
    alike: dict[int, set[str]] = field(default_factory=dict)


def _stored(ledger: Ledger, batch: Sequence[_Read]) -> tuple[_Texts, _Sides]:
    """Return what is stored about everything that a batch could be linked to."""
    messages = [one.message for one in batch]
    alike = ledger.sides.alike(band for one in batch for band in one.bands)
    likest = {key for one in batch for key in _likest(one.bands, alike)}  # the others are never read
    found = ledger.messages.get(likest)
    texts = _Texts({key: _Near(one.near_group, essence(one.message.text)) for key, one in found.items()}, alike)
    sides = _Sides()
    for column in _LINKS:
        sides.load(column, ledger.sides.by(column, [getattr(message, column) for message in messages]))
    sides.load("near_group", ledger.sides.by("near_group", {near.group for near in texts.near.values()}))
    sides.load("id", ledger.sides.by("id", [message.parent_id for message in messages]))
    sides.load("parent_id", ledger.sides.by("parent_id", [message.id for message in messages]))
    return texts, sides


class _Placing:
    """Messages on their way, one after the other, beside what is known of those before them."""

    def __init__(self, config: DatasetConfig, texts: _Texts | None = None, sides: _Sides | None = None) -> None:
        self._config = config
        self._texts = texts or _Texts()
        self._sides = sides or _Sides()

    def place(self, batch: Iterable[_Read]) -> Iterator[Placed]:
        """Yield each message with its side, in order."""
        return map(self.place_one, batch)

    def place_one(self, read: _Read) -> Placed:
        """Return the side of a message that comes after those placed before."""
        message, key = read.message, read.message.id
        matches = self._matches(read)
        groups = [self._texts.near[match].group for match, _ in matches] or [key]
        links = [("near_group", group) for group in dict.fromkeys(groups)] + _links(message)
        claimed = self._sides.claim(links)
        side = QUARANTINED if len(claimed) > 1 else claimed.pop() if claimed else self._draw(message)
        if side != QUARANTINED:
            own = [("near_group", groups[0]), *((name, getattr(message, name)) for name in _LINKS), ("id", key)]
            for name in [*own, ("parent_id", message.parent_id)]:
                if name[1]:
                    self._sides.taken.setdefault(name, set()).add(side)
        found_again = bool(matches) and max(like for _, like in matches) >= _SAME
        bands = () if found_again else read.bands
        if bands:
            self._texts.near[key] = _Near(groups[0], read.words)
            for band in bands:
                self._texts.alike.setdefault(band, set()).add(key)
        return Placed(key, side, groups[0], bands)

    def _draw(self, message: Message) -> str:
        seed = message.source == SEED_SOURCE
        return draw(message.id, self._config.seed_test_share if seed else self._config.test_share)

    def _matches(self, read: _Read) -> list[tuple[str, float]]:
        """Return the messages that this one is a near duplicate of, the likest first."""
        near, parts = self._texts.near, pieces(read.words)
        likest = [other for other in _likest(read.bands, self._texts.alike) if other in near]
        matches = [(other, likeness(parts, pieces(near[other].words))) for other in likest]
        found = [match for match in matches if match[1] >= self._config.near_duplicate]
        return sorted(found, key=lambda match: (-match[1], match[0]))


def _likest(bands: Sequence[int], alike: Mapping[int, set[str]]) -> list[str]:
    """Return the messages that share most bands, those that share most first."""
    met = Counter(other for band in bands for other in alike.get(band, ()))
    return sorted(met, key=lambda other: (-met[other], other))[:_CANDIDATES]


def _links(message: Message) -> list[tuple[str, str]]:
    names = [(name, getattr(message, name)) for name in _LINKS]
    return [name for name in [*names, ("id", message.parent_id), ("parent_id", message.id)] if name[1]]
