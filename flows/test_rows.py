"""The rows a model is judged on."""

from pathlib import Path

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.corpus import read_corpus
from data.messages import LabelledMessage
from data.parsing import read_labelled, to_message
from data.readers import FORMATS, read_rows
from data.snapshot import load_snapshot
from training.parts import seed_parts

SEED_NAME = "the seed corpus' test side"


def test_rows(on: Path | str | None = None) -> list[LabelledMessage]:
    """Return the labelled messages of a file, of a snapshot's test side, or of the seed corpus' test side."""
    if on is None:
        return seed_parts(row.labelled() for row in read_corpus())[2]
    if _is_file(on):
        rows = read_labelled(str(on), read_rows(Path(on)), load_taxonomy())
    else:
        rows = load_snapshot(str(on)).labelled("test")
    if not rows:
        raise SwitchboardError(f"{on}: has no labelled rows to judge a model on")
    return rows


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
