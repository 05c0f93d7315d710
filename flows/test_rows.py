"""The rows a model is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.corpus import read_corpus
from data.messages import LabelledMessage
from data.parsing import read_labelled, to_message
from data.readers import FORMATS, read_rows
from data.snapshot import SEED, all_snapshots, load_snapshot
from training.parts import seed_parts

SEED_NAME, TEST_SIDE = "the seed corpus' test side", "the test side"


@dataclass(frozen=True, slots=True)
class JudgedOn:
    """Labelled messages to judge a model on, and what a person calls them.

    `drawn`: ids of those drawn at random from the stream, labelled blind.
    """

    rows: list[LabelledMessage]
    drawn: frozenset[str] = frozenset()
    name: str = TEST_SIDE


def test_rows(on: Path | str | None = None) -> JudgedOn:
    """Return the labelled messages of a file, of a snapshot's test side, or of the seed corpus' test side."""
    if on is None:
        return JudgedOn(seed_parts(row.labelled() for row in read_corpus())[2], name=SEED_NAME)
    name = name_rows(on)
    if _is_file(on):
        found = JudgedOn(read_labelled(str(on), read_rows(Path(on)), load_taxonomy()), name=name)
    else:
        side = list(load_snapshot(str(on)).rows("test"))
        found = JudgedOn([row.labelled() for row in side], frozenset(row.message.id for row in side if row.drawn), name)
    if not found.rows:
        raise SwitchboardError(f"{on}: has no labelled rows to judge a model on")
    return found


def current_test_rows() -> JudgedOn:
    """Return what a version is judged on now: the seed's test side and a company's in its latest snapshot, if there is one."""
    seed, own = test_rows(), customer_test_rows()
    known = {row.message.id for row in seed.rows}
    more = [row for row in own.rows if row.message.id not in known]
    return JudgedOn([*seed.rows, *more], own.drawn, f"{seed.name} and {own.name}") if more else seed


def with_current(more: JudgedOn) -> JudgedOn:
    """Return rows beside all that is current."""
    current = current_test_rows()
    known = {row.message.id for row in current.rows}
    beside = [row for row in more.rows if row.message.id not in known]
    return JudgedOn([*current.rows, *beside], current.drawn | more.drawn, f"{current.name}, and {more.name}")


def customer_test_rows() -> JudgedOn:
    """Return a company's own rows on the test side of its latest snapshot; none where there is no snapshot."""
    if not all_snapshots():
        return JudgedOn([])
    side = [row for row in load_snapshot().rows("test") if row.kind != SEED]
    return JudgedOn([row.labelled() for row in side], frozenset(row.message.id for row in side if row.drawn),
                    "a company's own in the latest snapshot")  # fmt: skip


def drawn_mask(rows: Sequence[LabelledMessage], drawn: frozenset[str]) -> np.ndarray:
    """Return which rows (N,) were drawn at random."""
    return np.array([row.message.id in drawn for row in rows], dtype=bool)


def name_rows(on: Path | str | None) -> str:
    """Return what a person calls these rows."""
    if on is None:
        return SEED_NAME
    return Path(on).name if _is_file(on) else f"the test side of snapshot {on}"


def industries_of(on: Path | str | None) -> dict[str, str]:
    """Return the industry of each message, by id, where a file or the seed corpus says it."""
    known = {row.id: row.industry for row in read_corpus()}
    if on is not None and _is_file(on):
        for row in read_rows(Path(on)):
            if row.fields.get("industry"):
                known[to_message(row.fields).id] = str(row.fields["industry"])
    return known


def _is_file(on: Path | str) -> bool:
    return Path(on).suffix.lower() in FORMATS or Path(on).is_file()
