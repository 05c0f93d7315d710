"""A whole training on the tiny base model: learns, repeats itself for a seed, and goes on after a stop."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from transformers import TrainerCallback

from configs.errors import SwitchboardError
from configs.taxonomy import NONE, load_taxonomy
from data.messages import LabelledMessage
from tests.tiny_base import tiny_recipe, tiny_rows
from training.bundle import read_info, verify
from training.predictor import Predictor
from training.run import Trained, train_bundle

FIT, HOLDOUT = tiny_rows(24), tiny_rows(6, seed=1, prefix="h")


class _StopAfter(TrainerCallback):
    """Fails like a power cut, after so many checkpoints."""

    def __init__(self, checkpoints: int) -> None:
        self.left = checkpoints

    def on_epoch_begin(self, args, state, control, **_) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


def _train(base: Path, folder: Path, **changes) -> Trained:
    return train_bundle(FIT, HOLDOUT, tiny_recipe(base, **changes), folder, "c0ffee")


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return _train(tiny_base, tmp_path_factory.mktemp("trained") / "bundle", noise=0.5)


def _figures(trained: Trained) -> list[float]:
    return [record["eval_macro_f1"] for record in trained.history if "eval_macro_f1" in record]


def _scores(trained: Trained) -> np.ndarray:
    return Predictor(trained.bundle, threads=1).predict([row.message.text for row in HOLDOUT]).scores


def test_it_learns_what_it_is_shown(trained: Trained):
    labels = load_taxonomy().labels
    inside = [row for row in HOLDOUT if row.label != NONE]
    found = Predictor(trained.bundle, threads=1).predict([row.message.text for row in inside]).scores.argmax(axis=1)
    right = np.mean([labels[at] == row.label for at, row in zip(found, inside, strict=True)])
    assert right > 0.8


def test_it_doubts_what_belongs_nowhere(trained: Trained):
    doubt = Predictor(trained.bundle, threads=1).predict([row.message.text for row in HOLDOUT]).doubt
    outside = np.array([row.label == NONE for row in HOLDOUT])
    assert doubt[outside].mean() > 2 * doubt[~outside].mean()


def test_the_bundle_records_what_decided(trained: Trained):
    verify(trained.bundle)
    info = read_info(trained.bundle)
    assert info.commit == "c0ffee" and len(info.data_fingerprint) == len(info.base_digest) == 64
    assert info.recipe["epochs"] == 3 and set(info.thresholds.auto) == set(info.labels)
    assert len(_figures(trained)) == 3


def test_the_same_seed_gives_the_same_model_and_another_another(trained: Trained, tiny_base: Path, tmp_path: Path):
    again = _train(tiny_base, tmp_path / "again", noise=0.5)
    assert np.array_equal(_scores(again), _scores(trained)) and _figures(again) == _figures(trained)
    other = _train(tiny_base, tmp_path / "other", noise=0.5, seed=14)
    assert not np.array_equal(_scores(other), _scores(trained))


@pytest.mark.parametrize("epochs_done", [1, 2])
def test_a_stopped_training_goes_on_as_if_never_stopped(
    trained: Trained, tiny_base: Path, tmp_path: Path, epochs_done: int
):
    recipe = tiny_recipe(tiny_base, noise=0.5)
    with pytest.raises(KeyboardInterrupt):
        train_bundle(FIT, HOLDOUT, recipe, tmp_path / "b", "c", (_StopAfter(epochs_done),), work=tmp_path / "work")
    assert not (tmp_path / "b").exists(), "nothing half made under the bundle's name"
    newest = max(
        (tmp_path / "work" / "student" / "checkpoints").iterdir(), key=lambda path: int(path.name.split("-")[1])
    )
    broken = Path(shutil.copytree(newest, newest.with_name("checkpoint-999")))
    (broken / "complete").unlink()
    (broken / "model.safetensors").write_bytes(b"cut off here")
    resumed = train_bundle(FIT, HOLDOUT, recipe, tmp_path / "b", "c", work=tmp_path / "work")
    assert np.array_equal(_scores(resumed), _scores(trained)) and _figures(resumed) == _figures(trained)


def test_early_stopping_is_remembered_by_a_resumed_run(tiny_base: Path, tmp_path: Path):
    recipe = tiny_recipe(tiny_base, learning_rate=1e-9, head_learning_rate=1e-9, epochs=9, patience=1)
    first = train_bundle(FIT, HOLDOUT, recipe, tmp_path / "one", "c", work=tmp_path / "work")
    assert len(_figures(first)) == 2
    again = train_bundle(FIT, HOLDOUT, recipe, tmp_path / "two", "c", work=tmp_path / "work")
    assert _figures(again) == _figures(first) and np.array_equal(_scores(again), _scores(first))


def test_a_sealed_bundle_is_not_trained_again(trained: Trained, tiny_base: Path):
    before = json.loads((trained.bundle / "manifest.json").read_text(encoding="utf-8"))
    again = _train(tiny_base, trained.bundle, noise=0.5)
    assert again.info == trained.info and again.history == trained.history
    assert json.loads((trained.bundle / "manifest.json").read_text(encoding="utf-8")) == before


def test_what_counts_more_is_learnt_more(tiny_base: Path, tmp_path: Path):
    def confused(rows: list[LabelledMessage]) -> list[LabelledMessage]:
        return [LabelledMessage(row.message, "lead" if row.label == "praise" else row.label) for row in rows]

    both = [*FIT, *confused(FIT)]
    labels, share = load_taxonomy().labels, []
    for weights in ([4.0] * len(FIT) + [1.0] * len(FIT), [1.0] * len(FIT) + [4.0] * len(FIT)):
        folder = tmp_path / str(weights[0])
        made = train_bundle(both, HOLDOUT, tiny_recipe(tiny_base), folder, "c", weights=weights)
        scores = _scores(made)[[row.label == "praise" for row in HOLDOUT]]
        share.append(scores[:, labels.index("praise")].mean())
    assert share[0] > 2 * share[1]


def test_a_label_without_rows_is_named(tiny_base: Path, tmp_path: Path):
    rows = [row for row in FIT if row.label != "fraud"]
    with pytest.raises(SwitchboardError, match="no rows to fit for fraud; label some messages of each first"):
        train_bundle(rows, HOLDOUT, tiny_recipe(tiny_base), tmp_path / "b", "c")


def test_a_base_model_that_is_not_there_is_one_clear_line(tmp_path: Path):
    with pytest.raises(SwitchboardError, match=r"base_model=.*absent: cannot be loaded .* name a folder or a hub id$"):
        train_bundle(FIT, HOLDOUT, tiny_recipe(tmp_path / "absent"), tmp_path / "b", "c")
