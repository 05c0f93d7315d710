"""A larger teacher's opinion of the seed corpus, shipped beside it: it softens what the annotators' labels teach.

Knowledge distillation (Hinton, Vinyals, Dean 2015, arXiv:1503.02531) from a network too slow to train on every machine or
to serve: its probabilities are data, made once by benchmarks/teacher.py; docs/decisions/0008 says from what.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from configs.taxonomy import NONE
from data.corpus import CORPUS, SEED_SOURCE
from training.examples import Example
from training.setup import Setup
from training.targets import soft_targets

OPINIONS = CORPUS / "opinions.parquet"


def with_opinions(examples: Sequence[Example], setup: Setup, path: Path = OPINIONS) -> list[Example]:
    """Return the examples with `teacher_share` of the teacher's opinion in the targets of the seed rows it knows.

    A company's rows, rows labelled `none` and what stands under another taxonomy's labels stay as they are.
    """
    share, labels = setup.recipe.teacher_share, setup.taxonomy.labels
    known = read_opinions(labels, path) if share else {}
    mixed = list(examples)
    places = [
        number
        for number, example in enumerate(examples)
        if example.row.message.source == SEED_SOURCE
        and example.row.label != NONE
        and example.scores is None
        and example.row.message.id in known
    ]
    own, doubt = soft_targets([examples[place].row for place in places], labels, setup.recipe.second_share)
    for place, target, unsure in zip(places, own, doubt, strict=True):
        scores = (1 - share) * target + share * known[examples[place].row.message.id]
        mixed[place] = replace(examples[place], scores=tuple(scores.tolist()), doubt=float(unsure))
    return mixed


def read_opinions(labels: Sequence[str], path: Path = OPINIONS) -> dict[str, np.ndarray]:
    """Return the teacher's probabilities (L,) by message id, none at all where it knows other labels."""
    table = parquet.read_table(path)
    if set(table.column_names) != {"id", *labels}:
        return {}
    scores = np.stack([table[label].to_numpy() for label in labels], axis=1).astype(np.float32)
    scores /= scores.sum(axis=1, keepdims=True)
    return dict(zip(table["id"].to_pylist(), scores, strict=True))


def write_opinions(ids: Sequence[str], scores: np.ndarray, labels: Sequence[str], path: Path) -> None:
    """Write scores (N, L), which need not sum to 1, of the messages `ids`, to the nearest 255th."""
    shares = np.rint(255 * scores / scores.sum(axis=1, keepdims=True)).astype(np.uint8)
    columns = {label: shares[:, place] for place, label in enumerate(labels)}
    parquet.write_table(pa.table({"id": list(ids), **columns}), path, compression="zstd")


def digest_of_opinions(path: Path = OPINIONS) -> str:
    """Return the SHA-256 of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
