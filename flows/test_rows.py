"""The rows a model is judged on."""

from pathlib import Path

from configs.taxonomy import load_taxonomy
from data.corpus import read_corpus
from data.messages import LabelledMessage
from data.parsing import read_labelled
from data.readers import read_rows
from training.parts import seed_parts


def test_rows(path: Path | None = None) -> list[LabelledMessage]:
    """Return the labelled messages of a file, or the seed corpus' test side."""
    if path is None:
        return seed_parts(row.labelled() for row in read_corpus())[2]
    return read_labelled(str(path), read_rows(path), load_taxonomy())
