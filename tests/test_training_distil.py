"""Distilling: fewer layers that answer as the whole network does, learnt once."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from configs.errors import SwitchboardError
from configs.taxonomy import NONE, load_taxonomy
from tests.tiny_base import tiny_recipe, tiny_rows
from training.archive import Archive
from training.bundle import read_info
from training.distil import BATCH, distil, distil_once
from training.model import MessageClassifier
from training.predictor import Predictor
from training.run import train_bundle
from training.smaller import cut_down

FIT, HOLDOUT = tiny_rows(24), tiny_rows(6, seed=1, prefix="h")
LABELS = load_taxonomy().labels


@pytest.fixture
def teacher(tiny_base: Path) -> MessageClassifier:
    torch.manual_seed(3)
    network = MessageClassifier(str(tiny_base), len(LABELS), "mean", 0.1).eval()
    with torch.no_grad():
        for weights in network.encoder.encoder.parameters():
            weights.mul_(6 if weights.ndim == 2 else 1)  # at random so small, a layer would hardly matter
    return network


def test_a_student_comes_nearer_to_its_teacher(tiny_base: Path, teacher: MessageClassifier):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokens = tokenizer([row.message.text for row in FIT])["input_ids"]
    padded = tokenizer.pad({"input_ids": tokens}, return_tensors="pt")

    def away(network: MessageClassifier) -> float:
        with torch.no_grad():
            return float((network(**padded)[0] - teacher(**padded)[0]).abs().mean())

    student = distil(teacher, tokenizer, tokens, tiny_recipe(tiny_base, layers=1, distil_epochs=8))
    assert len(student.encoder.encoder.layer) == 1 and len(teacher.encoder.encoder.layer) == 2
    assert away(student) < 0.7 * away(cut_down(teacher, 1, None, lambda _: None).eval())


def test_the_neurons_that_add_most_are_kept(tiny_base: Path, teacher: MessageClassifier):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    padded = tokenizer([row.message.text for row in FIT], padding=True, return_tensors="pt")
    whole = teacher.encoder.config.intermediate_size
    with torch.no_grad():
        for block in teacher.encoder.encoder.layer:
            block.output.dense.weight[:, ::2] *= 1e-4  # every other neuron adds next to nothing
        wanted = teacher(**padded)[0]
        smaller = cut_down(teacher, None, whole // 2, lambda network: network(**padded)).eval()
        assert smaller.encoder.encoder.layer[0].intermediate.dense.weight.shape[0] == whole // 2
        assert torch.allclose(smaller(**padded)[0], wanted, atol=1e-3)
        assert teacher.encoder.config.intermediate_size == whole and torch.equal(teacher(**padded)[0], wanted)


def test_fewer_layers_and_neurons_are_learnt_kept_and_served(tiny_base: Path, tmp_path: Path):
    recipe = tiny_recipe(tiny_base, layers=1, neurons=16, distil_epochs=1, precision="int8")
    said: list[str] = []
    made = train_bundle(FIT, HOLDOUT, recipe, tmp_path / "bundle", "c", work=tmp_path / "work", say=said.append)
    assert any("distilling to 1 layers of 16 neurons" in line for line in said)
    text = HOLDOUT[0].message.text
    first = Predictor(made.bundle, threads=1).predict([text]).scores
    said.clear()
    again = train_bundle(FIT, HOLDOUT, recipe, tmp_path / "again", "c", work=tmp_path / "work", say=said.append)
    assert not any("distilling" in line for line in said)
    assert np.allclose(Predictor(again.bundle, threads=1).predict([text]).scores, first)


def test_a_last_batch_of_one_text_spoils_nothing(tiny_base: Path, teacher: MessageClassifier):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokens = tokenizer([row.message.text for row in FIT[: BATCH + 1]])["input_ids"]
    student = distil(teacher, tokenizer, tokens, tiny_recipe(tiny_base, layers=1, distil_epochs=1))
    assert all(torch.isfinite(weights).all() for weights in student.parameters())


def test_a_recipe_with_layers_gives_a_smaller_bundle_that_still_sorts(tiny_base: Path, tmp_path: Path):
    recipe = tiny_recipe(tiny_base, layers=1, distil_epochs=20)
    made = train_bundle(FIT, HOLDOUT, recipe, tmp_path / "bundle", "c", work=tmp_path / "work")
    assert read_info(made.bundle).recipe["layers"] == 1 and (tmp_path / "work" / "distilled.safetensors").is_file()
    inside = [row for row in HOLDOUT if row.label != NONE]
    found = Predictor(made.bundle, threads=1).predict([row.message.text for row in inside]).scores.argmax(axis=1)
    assert np.mean([LABELS[at] == row.label for at, row in zip(found, inside, strict=True)]) > 0.7


def test_an_archive_shows_the_smaller_network_its_messages_too(tiny_base: Path, tmp_path: Path):
    archive = tmp_path / "archive.jsonl"
    archive.write_text("".join(json.dumps({"text": f"{row.message.text} and more"}) + "\n" for row in FIT[:40]))
    said: list[str] = []
    for name, given in (("alone", None), ("shown", Archive(archive))):
        recipe = tiny_recipe(tiny_base, layers=1, distil_epochs=1)
        train_bundle(FIT, HOLDOUT, recipe, tmp_path / name, "c", archive=given, say=said.append)
    counts = [int(line.split(" on ")[1].split()[0]) for line in said if line.startswith("distilling")]
    assert counts == [len(FIT), len(FIT) + 40]
    assert not any("agreed on" in line for line in said)


@pytest.mark.parametrize("what", ["layers", "neurons"])
def test_as_many_as_there_are_is_refused(tiny_base: Path, teacher: MessageClassifier, tmp_path: Path, what: str):
    config = teacher.encoder.config
    many = {"layers": config.num_hidden_layers, "neurons": config.intermediate_size}[what]
    asked, tokenizer = tiny_recipe(tiny_base, **{what: many}), AutoTokenizer.from_pretrained(tiny_base)
    with pytest.raises(SwitchboardError, match=f"{what}={many}: the encoder has {many}; ask for fewer"):
        distil_once(teacher, tokenizer, [[1, 2]], asked, tmp_path / "student")
