"""Few labels: the method is chosen by their number, learns from eight a label, and calibrates on rows not seen."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from configs.errors import SwitchboardError
from configs.taxonomy import NONE, load_taxonomy
from data.messages import LabelledMessage
from tests.tiny_base import tiny_recipe, tiny_rows
from training.archive import Archive
from training.contrast import contrast
from training.examples import as_examples
from training.few import choose_method, folds_of, learn_from_few
from training.predictor import Predictor
from training.run import train_bundle
from training.setup import make_ready

FEW = {"few_labels": 32, "contrastive_steps": 15, "contrastive_rate": 2e-3}
LABELS = load_taxonomy().labels


@pytest.mark.parametrize(("per_label", "changes", "method"), [
    (8, {}, "contrastive"), (40, {}, "fine_tune"), (8, {"method": "fine_tune"}, "fine_tune"),
    (40, {"method": "contrastive"}, "contrastive"), (8, {"few_labels": 8}, "fine_tune"),
])  # fmt: skip
def test_the_rarest_label_decides_unless_the_recipe_does(tiny_base: Path, per_label: int, changes: dict, method: str):
    setup = make_ready(tiny_recipe(tiny_base, **{**FEW, **changes}))
    assert choose_method(as_examples(tiny_rows(per_label)), setup) == method


def test_eight_a_label_teach_it_and_the_log_says_how(tiny_base: Path, tmp_path: Path):
    said: list[str] = []
    made = train_bundle(tiny_rows(8), [], tiny_recipe(tiny_base, **FEW), tmp_path / "b", "c", say=said.append)
    assert made.method == "contrastive" and "method contrastive: the rarest label has 8 rows" in said[0]
    rows = [row for row in tiny_rows(10, seed=5) if row.label != NONE]
    found = Predictor(made.bundle, threads=1).predict([row.message.text for row in rows]).scores.argmax(axis=1)
    assert np.mean([LABELS[at] == row.label for at, row in zip(found, rows, strict=True)]) > 0.8


def test_uneven_few_labels_leave_the_mix_to_the_deployed_one(tiny_base: Path, tmp_path: Path):
    rows = [row for row in tiny_rows(24) if row.label != "fraud"] + [
        row for row in tiny_rows(8) if row.label == "fraud"
    ]
    recipe = tiny_recipe(tiny_base, **FEW, deployed_mix=dict.fromkeys(LABELS, 1 / len(LABELS)))
    made = train_bundle(rows, [], recipe, tmp_path / "b", "c")
    assert made.method == "contrastive" and made.info.calibration.bias == pytest.approx([0.0] * len(LABELS))


@pytest.mark.parametrize("held", [[], tiny_rows(1, 1, "h")[:3], tiny_rows(1, 1, "h")])
def test_few_labels_with_an_archive_teach_whatever_labels_were_held_out(
    tiny_base: Path, tmp_path: Path, held: list[LabelledMessage]
):
    path = tmp_path / "archive.jsonl"
    path.write_text("".join(json.dumps({"text": row.message.text}) + "\n" for row in tiny_rows(20, 9, "a")))
    fit, recipe = tiny_rows(8), tiny_recipe(tiny_base, **FEW)
    made = train_bundle(fit, held, recipe, tmp_path / "b", "c", archive=Archive(path))
    assert made.method == "fine_tune"
    rows = [row for row in tiny_rows(10, seed=5) if row.label != NONE]
    found = Predictor(made.bundle, threads=1).predict([row.message.text for row in rows]).scores.argmax(axis=1)
    assert np.mean([LABELS[at] == row.label for at, row in zip(found, rows, strict=True)]) > 0.8


def test_the_first_fold_holds_every_label_that_has_two_rows(tiny_base: Path):
    rows = as_examples(tiny_rows(2))
    folds = folds_of(rows, make_ready(tiny_recipe(tiny_base)))
    for fold in (0, 1):
        assert {rows[at].row.label for at in np.flatnonzero(folds == fold)} == {*LABELS, NONE}


def test_every_row_is_answered_by_a_network_that_did_not_learn_it(tiny_base: Path, tmp_path: Path):
    examples = as_examples(_with_wrong_label(tiny_rows(8)))
    _, answers = learn_from_few(make_ready(tiny_recipe(tiny_base, **FEW)), examples, tmp_path)
    assert len(answers.rows) == len(examples) and np.abs(answers.logits).sum(axis=1).all()
    assert LABELS[answers.logits[0].argmax()] == "spam", "what only this row says cannot have been learnt"


def _with_wrong_label(rows: list[LabelledMessage]) -> list[LabelledMessage]:
    assert rows[0].label == "spam"
    return [LabelledMessage(rows[0].message, "praise"), *rows[1:]]


def test_a_killed_run_reads_back_what_it_had_learnt(tiny_base: Path, tmp_path: Path):
    setup, examples = make_ready(tiny_recipe(tiny_base, **FEW)), as_examples(tiny_rows(8))
    first, answers = learn_from_few(setup, examples, tmp_path)
    (tmp_path / "whole.safetensors").unlink()
    again, answers_again = learn_from_few(setup, examples, tmp_path)
    assert np.array_equal(answers.logits, answers_again.logits)
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_single_row_of_a_label_is_too_few(tiny_base: Path, tmp_path: Path):
    rows = [row for row in tiny_rows(8) if row.label != "fraud" or row.message.id.endswith("-0")]
    with pytest.raises(SwitchboardError, match="1 rows of 'fraud': at least two of each label are needed"):
        learn_from_few(make_ready(tiny_recipe(tiny_base, **FEW)), as_examples(rows), tmp_path)


def test_a_warm_up_by_contrast_comes_before_the_fine_tuning(tiny_base: Path, tmp_path: Path):
    examples = as_examples(tiny_rows(8))

    def likeness(**changes: object) -> float:
        still = {"learning_rate": 1e-9, "head_learning_rate": 1e-9, "epochs": 1, "contrastive_rate": 2e-3}
        setup = make_ready(tiny_recipe(tiny_base, **still, **changes))
        network = setup.fine_tuned(examples, None, tmp_path / str(changes), ()).model
        rows = setup.tokenised(examples)
        padded = setup.tokenizer.pad({"input_ids": rows["input_ids"]}, return_tensors="pt")
        targets = torch.tensor(rows["targets"])
        groups = torch.where(targets.sum(dim=1) > 0, targets.argmax(dim=1), len(LABELS))
        with torch.no_grad():
            return float(contrast(network.embed(padded["input_ids"], padded["attention_mask"]), groups))

    assert likeness(warm_up_steps=15) < 0.7 * likeness()


def test_contrast_is_least_where_groups_lie_apart():
    groups = torch.tensor([0, 0, 1, 1, 2])
    apart = torch.tensor([[1.0, 0], [1, 0], [-1, 0], [-1, 0], [0, 1]])
    mixed = apart[[0, 2, 1, 3, 4]]
    assert contrast(apart, groups) < contrast(mixed, groups)
    assert contrast(apart[:1], groups[:1]) == 0, "a row alone has nobody to be drawn to"
