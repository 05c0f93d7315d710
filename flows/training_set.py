"""The rows of a training: the seed corpus, and a company's own labels from a file or a snapshot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SwitchboardError
from configs.recipe import Recipe
from configs.taxonomy import load_taxonomy
from data.corpus import read_corpus
from data.messages import LabelledMessage
from data.parsing import read_labelled
from data.readers import FORMATS, read_rows
from data.snapshot import SEED, SnapshotRow, load_snapshot
from data.splits import sides_alone
from flows.test_rows import customer_test_rows
from training.parts import HOLDOUT_PERCENT, bucket, fingerprint, seed_parts

BESIDE = 1000  # held-out seed rows that tell what temperature to expect
Parts = tuple[list[LabelledMessage], list[LabelledMessage], list[LabelledMessage]]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Rows to fit (with how much each counts), to hold out and to test on, a digest of them and where they are from."""

    fit: list[LabelledMessage]
    holdout: list[LabelledMessage]
    test: list[LabelledMessage]
    fingerprint: str
    weights: tuple[float, ...] = ()
    source: str = "the seed corpus"
    drawn: frozenset[str] = frozenset()  # ids of the test rows that were drawn at random from the stream
    own: int = 0  # of the rows to fit, how many are a company's
    beside: Sequence[LabelledMessage] = ()  # of the seed, to calibrate beside a company's rows, which alone stop

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows in each part."""
        return {"fit": len(self.fit), "holdout": len(self.holdout), "test": len(self.test)}


def seed_training_set(recipe: Recipe, corpus: Path | None = None) -> TrainingSet:
    """Return the seed corpus in its parts; a recipe with `max_rows` fits that many, the same ones each time.

    It is judged on a company's own test rows too, where there is a snapshot: what they refused is not let in without them.
    """
    fit, holdout, test = _bounded(_seed(corpus), recipe.max_rows)
    test, drawn = _with_current(test, frozenset())
    return TrainingSet(fit, holdout, test, fingerprint([*fit, *holdout, *test]), drawn=drawn)


def customer_training_set(
    recipe: Recipe, data: str, with_seed: bool = True, corpus: Path | None = None, own_rows: int | None = None
) -> TrainingSet:
    """Return a company's own labels, beside the seed corpus or alone; `data` is a labelled file or a snapshot.

    Customer rows count up to `customer_weight` times as much as seed rows, so that together they weigh as much as
    the seed does. Where they are enough, they alone stop, and of the seed BESIDE more calibrate. `own_rows` fits that many of them, the same ones
    each time and each number's among the next's: a point of their learning curve. The seed's test side and that of the latest
    snapshot are always scored.
    """
    seed, own, drawn = _read(data, corpus)
    seed, own = _bounded(seed, recipe.max_rows), _bounded(own, own_rows)
    seed_fit, seed_holdout = (seed[0], seed[1]) if with_seed else ([], [])
    fit, (test, drawn) = [*seed_fit, *own[0]], _with_current([*seed[2], *own[2]], drawn)
    weight = _customer_weight(len(seed_fit), len(own[0]), recipe.customer_weight)
    alone = _enough(own[1], recipe.customer_holdout) or not with_seed
    holdout, beside = (own[1], _some(seed_holdout, BESIDE)) if alone else ([*seed_holdout, *own[1]], [])
    weights = tuple([1.0] * len(seed_fit) + [weight] * len(own[0]))
    source = f"{len(own[0])} of {data} counting {weight:.1f} times" + (
        f" with {len(seed_fit)} of the seed" if with_seed else ""
    )
    key = fingerprint([*fit, *holdout, *test])
    return TrainingSet(fit, holdout, test, key, weights, source, drawn, len(own[0]), beside)


def _with_current(
    test: Sequence[LabelledMessage], drawn: frozenset[str]
) -> tuple[list[LabelledMessage], frozenset[str]]:
    """Return test rows, and which were drawn at random, with those of a company's latest snapshot that are not there yet."""
    current, known = customer_test_rows(), {row.message.id for row in test}
    return [*test, *(row for row in current.rows if row.message.id not in known)], drawn | current.drawn


def _read(data: str, corpus: Path | None) -> tuple[Parts, Parts, frozenset[str]]:
    """Return the parts of the seed and of the customer's rows, and which of these were drawn at random."""
    if Path(data).suffix.lower() not in FORMATS:
        rows = list(load_snapshot(data).rows())
        seed = [row for row in rows if row.kind == SEED]
        own = _snapshot_parts(row for row in rows if row.kind != SEED)
        drawn = frozenset(row.message.id for row in rows if row.drawn)
        return (_stored_seed(seed) if seed else _seed(corpus)), own, drawn
    return _seed(corpus), _file_parts(read_labelled(data, read_rows(Path(data)), load_taxonomy())), frozenset()


def _seed(corpus: Path | None) -> Parts:
    return seed_parts(row.labelled() for row in (read_corpus(corpus) if corpus else read_corpus()))


def _stored_seed(rows: Sequence[SnapshotRow]) -> Parts:
    """Return the seed's parts without what followed a company's message to its test side, or was quarantined with it."""
    trained = {row.message.id for row in rows if row.side == "train"}
    *learnt, test = seed_parts(row.labelled() for row in rows)
    fit, holdout = ([row for row in part if row.message.id in trained] for part in learnt)
    return fit, holdout, test


def _bounded(parts: Parts, most: int | None) -> Parts:
    fit, holdout, test = parts
    return (fit if most is None else _some(fit, most)), holdout, test


def _some(rows: list[LabelledMessage], most: int) -> list[LabelledMessage]:
    """Return at most so many of the rows, the same ones each time and each number's among the next's."""
    if len(rows) <= most:
        return rows
    return sorted(rows, key=lambda row: (bucket("quick" + row.message.id), row.message.id))[:most]


def _snapshot_parts(rows: Iterable[SnapshotRow]) -> Parts:
    """Return the parts by the sides that the ledger drew."""
    return _by_sides((row.labelled(), row.side, row.near_group) for row in rows)


def _file_parts(rows: Sequence[LabelledMessage]) -> Parts:
    """Return the parts of a file's rows by the sides that an empty ledger would draw for them."""
    placed = sides_alone(row.message for row in rows)
    return _by_sides((row, placed[row.message.id].side, placed[row.message.id].near_group) for row in rows)


def _by_sides(rows: Iterable[tuple[LabelledMessage, str, str]]) -> Parts:
    """Return the parts of rows with their side and near-duplicate group; what is alike is fitted or held out together."""
    fit, holdout, test = [], [], []
    for row, side, group in rows:
        if side == "test":
            test.append(row)
        elif side == "train":
            (holdout if bucket(f"holdout:{group or row.message.id}") < HOLDOUT_PERCENT else fit).append(row)
    return fit, holdout, test


def _customer_weight(seed: int, own: int, bound: float) -> float:
    if not own:
        raise SwitchboardError("no customer rows to fit; label some messages first, or train without data=")
    return min(bound, max(1.0, seed / own)) if seed else 1.0


def _enough(rows: Sequence[LabelledMessage], least: int) -> bool:
    """Return whether rows are enough to calibrate on: so many, and each label among them."""
    return len(rows) >= least and {row.label for row in rows} >= set(load_taxonomy().labels)
