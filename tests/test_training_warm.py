"""A company's rows beside the seed: the network of the seed is learnt once, kept, and goes on learning from them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from configs.company import Company
from configs.paths import var_dir
from configs.taxonomy import NONE, load_taxonomy
from data.corpus import SEED_SOURCE
from data.messages import LabelledMessage
from flows.seed_bundle import seed_bundle
from flows.training_set import TrainingSet
from tests.tiny_base import tiny_recipe, tiny_rows
from training import warm
from training.archive import Archive
from training.examples import as_examples
from training.model import MessageClassifier
from training.predictor import Predictor
from training.run import Trained, train_bundle
from training.setup import make_ready
from training.warm import learn_beside_seed, seed_network_path

LABELS = load_taxonomy().labels


def _seed(per_label: int, seed: int, prefix: str) -> list[LabelledMessage]:
    rows = tiny_rows(per_label, seed, prefix)
    return [replace(row, message=replace(row.message, source=SEED_SOURCE)) for row in rows]


def _own(per_label: int, seed: int, prefix: str) -> list[LabelledMessage]:
    """Rows of a company that calls praise what the seed calls lead."""
    rows = tiny_rows(per_label, seed, prefix)
    return [replace(row, label="praise") if row.label == "lead" else row for row in rows]


SEED, OWN, HELD = _seed(24, 0, "s"), _own(24, 2, "o"), _seed(6, 1, "h")
WEIGHTS = [1.0] * len(SEED) + [4.0] * len(OWN)


@pytest.fixture(autouse=True)
def own_var(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SWITCHBOARD_VAR", str(tmp_path / "var"))


def _train(base: Path, folder: Path, rows: list[LabelledMessage], said: list[str], **changes) -> Trained:
    recipe = tiny_recipe(base, adapt_rate=2e-3, **changes)
    weights = WEIGHTS if len(rows) == len(WEIGHTS) else ()
    return train_bundle(rows, HELD, recipe, folder, "c", weights=weights, say=said.append)


def _called(trained: Trained, label: str) -> list[str]:
    texts = [row.message.text for row in tiny_rows(10, seed=5) if row.label == label]
    return [LABELS[at] for at in Predictor(trained.bundle, threads=1).predict(texts).scores.argmax(axis=1)]


def test_what_went_on_from_the_seed_can_be_distilled(tiny_base: Path, tmp_path: Path):
    made = _train(tiny_base, tmp_path / "b", [*SEED, *OWN], [], layers=1, distil_epochs=1)
    assert made.method == "adapt" and made.info.recipe["layers"] == 1


def test_what_the_company_says_overrules_the_seed_and_the_rest_is_kept(tiny_base: Path, tmp_path: Path):
    said: list[str] = []
    made = _train(tiny_base, tmp_path / "b", [*SEED, *OWN], said, replay=0.0)
    assert made.method == "adapt"
    assert any("first, once: the network of the 216 seed messages" in line for line in said)
    assert np.mean([label == "praise" for label in _called(made, "lead")]) > 0.6
    others = [label for label in LABELS if label != "lead"]
    assert np.mean([np.mean([found == label for found in _called(made, label)]) for label in others]) > 0.8


def test_the_seed_is_learnt_once_for_all_trainings_that_go_on_from_it(tiny_base: Path, tmp_path: Path):
    alone = _train(tiny_base, tmp_path / "alone", SEED, [])
    assert alone.method == "fine_tune" and len(list((var_dir() / "networks").iterdir())) == 1
    said: list[str] = []
    first = _train(tiny_base, tmp_path / "first", [*SEED, *OWN], said)
    again = _train(tiny_base, tmp_path / "again", [*SEED, *OWN], [], customer_weight=2.0)
    assert not any("first, once" in line for line in said)
    texts = [row.message.text for row in HELD]
    one, other = (Predictor(made.bundle, threads=1).predict(texts).scores for made in (first, again))
    assert np.array_equal(one, other), "the same rows, the same seed, the same network"
    _train(tiny_base, tmp_path / "other", [*SEED[:-9], *OWN], said, seed=14)
    assert len(list((var_dir() / "networks").iterdir())) == 2, "another seed, another network"


def test_a_network_that_was_best_before_its_last_epoch_is_not_kept(tiny_base: Path, tmp_path: Path):
    _train(tiny_base, tmp_path / "b", SEED, [], learning_rate=1e-9, head_learning_rate=1e-9)
    assert not (var_dir() / "networks").exists(), "what goes on from the seed starts from its last epoch"


def test_other_names_and_other_code_ask_for_another_network(tiny_base: Path, monkeypatch: pytest.MonkeyPatch):
    setup, rows = make_ready(tiny_recipe(tiny_base)), as_examples(SEED)
    path = seed_network_path(setup, rows)
    assert seed_network_path(replace(setup, company=Company(names=("Acme",))), rows) != path
    monkeypatch.setattr("training.warm.digest_of_code", lambda *_: "other", raising=False)
    assert seed_network_path(setup, rows) != path


def test_a_share_of_the_seed_networks_encoder_is_kept(tiny_base: Path, tmp_path: Path):
    def learnt(share: float) -> MessageClassifier:
        setup = make_ready(tiny_recipe(tiny_base, adapt_rate=2e-3, adapt_keep=share))
        held = setup.tokenised(as_examples(HELD))
        rows = as_examples([*SEED, *OWN])
        return learn_beside_seed(setup, rows, held, tmp_path / str(share), (), lambda line: None)[0].model

    changed, half = learnt(0.0), learnt(0.5)
    seed = load_file(next((var_dir() / "networks").iterdir()))
    name = "encoder.encoder.layer.1.output.dense.weight"
    before, after = seed[name], changed.state_dict()[name]
    assert not torch.equal(before, after)
    torch.testing.assert_close(half.state_dict()[name], (before + after) / 2)
    assert torch.equal(half.label_head.weight, changed.label_head.weight)


def test_an_archive_goes_on_from_the_seeds_network_too(tiny_base: Path, tmp_path: Path):
    archive = tmp_path / "archive.jsonl"
    archive.write_text("".join(json.dumps({"text": row.message.text}) + "\n" for row in tiny_rows(20, 9, "a")))
    said: list[str] = []
    recipe = tiny_recipe(tiny_base, adapt_rate=2e-3, replay=1.0)
    made = train_bundle([*SEED, *OWN], HELD, recipe, tmp_path / "b", "c", archive=Archive(archive), say=said.append)
    kept = next(int(line.split()[0]) for line in said if "archive messages are agreed on" in line)
    assert made.method == "adapt" and sum("first, once" in line for line in said) == 1
    assert (
        kept > 60
        and f"{len(OWN)} labelled of your own, {kept} of the archive, {len(SEED)} of the seed again" in said[-2]
    )
    assert np.mean([label == "question" for label in _called(made, "question")]) > 0.8


def test_an_archive_brings_rows_of_the_seed_back_and_a_teachers_is_gone_through_twice(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warm, "LEAST_REPLAYED", 1)
    recipe = tiny_recipe(tiny_base, adapt_rate=2e-3, replay=0.0, adapt_epochs=5)
    teacher = train_bundle(tiny_rows(12), HELD, tiny_recipe(tiny_base), tmp_path / "teacher", "c").bundle
    path, said = tmp_path / "archive.jsonl", []
    path.write_text("".join(json.dumps({"text": row.message.text}) + "\n" for row in tiny_rows(5, 9, "a")))
    archive = Archive(path, teacher=teacher)
    made = train_bundle([*SEED, *OWN], HELD, recipe, tmp_path / "b", "c", archive=archive, say=said.append)
    assert any(f"{len(OWN)} labelled of your own, 45 of the archive, 18 of the seed again" in line for line in said)
    assert max(record["epoch"] for record in made.history) == 2


def test_other_forms_of_the_seeds_network_cost_no_second_training(tiny_base: Path, tmp_path: Path, monkeypatch):
    held = (SEED, HELD, [])
    monkeypatch.setattr("flows.seed_bundle.seed_training_set", lambda recipe: TrainingSet(*held, "f"))
    said: list[str] = []
    whole = seed_bundle(tiny_recipe(tiny_base, precision="fp32"), tmp_path / "whole", "c", say=said.append)
    small = tiny_recipe(tiny_base, precision="int8", layers=1, distil_epochs=1)
    short = seed_bundle(small, tmp_path / "short", "c", say=said.append)
    assert sum("first, once" in line for line in said) == 1 and len(list((var_dir() / "networks").iterdir())) == 1
    assert (whole.precision, short.precision, short.recipe["layers"]) == ("fp32", "int8", 1)
    Predictor(tmp_path / "short", threads=1).check_golden()


class _PowerCut(TrainerCallback):
    """Fails at the beginning of the given epoch of all that are trained."""

    def __init__(self, epoch: int) -> None:
        self.left = epoch

    def on_epoch_begin(self, args, state, control, **_) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("epoch", [3, 6])
def test_a_stopped_training_goes_on_in_either_part(tiny_base: Path, tmp_path: Path, epoch: int):
    recipe, rows = tiny_recipe(tiny_base, adapt_rate=2e-3), [*SEED, *OWN]
    with pytest.raises(KeyboardInterrupt):
        train_bundle(rows, HELD, recipe, tmp_path / "b", "c", (_PowerCut(epoch),), weights=WEIGHTS, work=tmp_path / "w")
    resumed = train_bundle(rows, HELD, recipe, tmp_path / "b", "c", weights=WEIGHTS, work=tmp_path / "w")
    for network in (var_dir() / "networks").iterdir():
        network.unlink()
    whole = train_bundle(rows, HELD, recipe, tmp_path / "whole", "c", weights=WEIGHTS)
    texts = [row.message.text for row in HELD if row.label != NONE]
    one, other = (Predictor(made.bundle, threads=1).predict(texts).scores for made in (resumed, whole))
    assert np.array_equal(one, other)
