"""A teacher's opinion softens what the seed teaches, and touches nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.taxonomy import NONE, load_taxonomy
from data.corpus import SEED_SOURCE, read_corpus
from data.messages import LabelledMessage
from tests.tiny_base import tiny_recipe, tiny_rows
from training.examples import as_examples, targets_of
from training.opinions import read_opinions, with_opinions, write_opinions
from training.setup import make_ready

LABELS = load_taxonomy().labels


def from_seed(rows: list[LabelledMessage]) -> list[LabelledMessage]:
    return [LabelledMessage(replace(row.message, source=SEED_SOURCE), row.label, row.second) for row in rows]


def test_half_of_the_target_is_the_teachers_for_seed_rows_that_it_knows(tiny_base: Path, tmp_path: Path):
    known, none, unknown, own = (
        from_seed([next(row for row in tiny_rows(1) if row.label == "praise")])[0],
        from_seed([next(row for row in tiny_rows(1) if row.label == NONE)])[0],
        from_seed([next(row for row in tiny_rows(1) if row.label == "spam")])[0],
        next(row for row in tiny_rows(1) if row.label == "fraud"),
    )
    thinks = np.full((3, len(LABELS)), 1.0)
    thinks[:, LABELS.index("suggestion")] = 9.0
    write_opinions([row.message.id for row in (known, none, own)], thinks, LABELS, tmp_path / "o.parquet")
    setup = make_ready(tiny_recipe(tiny_base, teacher_share=0.5, second_share=0.0))
    found = with_opinions(as_examples([known, none, unknown, own]), setup, tmp_path / "o.parquet")
    targets, doubt, _ = targets_of(found, LABELS, 0.0)
    assert targets[0, LABELS.index("praise")] == pytest.approx(0.5 + 0.5 / 16, abs=0.01)
    assert targets[0, LABELS.index("suggestion")] == pytest.approx(0.5 * 9 / 16, abs=0.01)
    assert targets[0].sum() == pytest.approx(1.0)
    assert not targets[1].any() and doubt[1] == 1.0, "what belongs nowhere has no label to soften"
    assert targets[2].max() == 1.0 and targets[3].max() == 1.0, "a company's rows are the company's to say"


def test_without_a_share_or_under_other_labels_nothing_changes(tiny_base: Path, tmp_path: Path):
    (row,) = from_seed([next(row for row in tiny_rows(1) if row.label == "praise")])
    write_opinions([row.message.id], np.ones((1, 2)), ["yes", "no"], tmp_path / "o.parquet")
    assert read_opinions(LABELS, tmp_path / "o.parquet") == {}
    for share in (0.0, 0.5):
        setup = make_ready(tiny_recipe(tiny_base, teacher_share=share))
        assert with_opinions(as_examples([row]), setup, tmp_path / "o.parquet") == as_examples([row])


def test_the_shipped_opinions_are_of_the_shipped_corpus_and_mostly_agree_with_it():
    opinions, rows = read_opinions(LABELS), {row.id: row for row in read_corpus()}
    assert len(opinions) > 20_000 and opinions.keys() <= rows.keys()
    labelled = [(rows[key], LABELS[scores.argmax()]) for key, scores in opinions.items() if rows[key].label != NONE]
    assert np.mean([said == row.label or said in row.second for row, said in labelled]) > 0.9
