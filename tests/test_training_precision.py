"""Precision: int8 answers nearly as fp32 does, whatever stands beside a message, and is taken only where it pays."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from configs.taxonomy import NONE, load_taxonomy
from data.messages import LabelledMessage, Message
from tests.tiny_base import tiny_recipe, tiny_rows
from training import precision
from training.bundle import PrecisionCheck, read_info
from training.export import export_network
from training.model import MessageClassifier
from training.precision import choose_precision
from training.predictor import Network, Predictor
from training.run import train_bundle

TAXONOMY = load_taxonomy()
ROWS = [*tiny_rows(4), LabelledMessage(Message("done whatever", "n"), NONE)]


@pytest.fixture(scope="module")
def network(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[int]]]:
    torch.manual_seed(3)
    model = MessageClassifier(str(tiny_base), len(TAXONOMY.labels), "mean", 0.1).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    path = tmp_path_factory.mktemp("network") / "fp32.onnx"
    texts = [row.message.text for row in ROWS]
    export_network(model, tokenizer, texts, 32, path)
    return path, tokenizer(texts)["input_ids"]


def _choose(network: tuple[Path, list[list[int]]], wanted: str) -> precision.Exported:
    path, tokens = network
    return choose_precision(wanted, path, tokens, tokens, ROWS, TAXONOMY)


def test_int8_is_near_fp32_and_measured(network: tuple[Path, list[list[int]]]):
    exact, coarse = _choose(network, "fp32"), _choose(network, "int8")
    assert (exact.precision, exact.check) == ("fp32", None) and coarse.precision == "int8"
    assert 0 < np.abs(exact.logits - coarse.logits).max() < 0.1 * np.abs(exact.logits).max()
    assert coarse.check is not None and coarse.check.rows == len(ROWS) and coarse.check.largest_change < 0.05
    assert coarse.path.stat().st_size < exact.path.stat().st_size


def test_int8_answers_do_not_depend_on_the_neighbours(network: tuple[Path, list[list[int]]]):
    int8 = Network(_choose(network, "int8").path, threads=1)
    alone = np.concatenate([int8.logits([tokens])[0] for tokens in network[1]])
    np.testing.assert_allclose(int8.logits(network[1])[0], alone, atol=1e-5)


@pytest.mark.parametrize(("speedup", "changed", "lost", "found"), [
    (2.0, 0.01, 0.0, "int8"), (1.0, 0.01, 0.0, "fp32"), (2.0, 0.2, 0.0, "fp32"), (2.0, 0.01, -0.02, "fp32"),
])  # fmt: skip
def test_auto_takes_int8_only_where_it_is_faster_and_costs_nothing(
    network: tuple[Path, list[list[int]]], monkeypatch: pytest.MonkeyPatch, speedup: float, changed: float, lost: float, found: str
):  # fmt: skip
    check = PrecisionCheck(rows=9, speedup=speedup, changed=changed, largest_change=0.1, macro_f1_change=lost)
    monkeypatch.setattr(precision, "_compare", lambda *_: check)
    chosen = _choose(network, "auto")
    assert chosen.precision == found and chosen.check == check, "what was measured is recorded either way"


def test_an_int8_bundle_is_calibrated_and_sealed_as_what_it_is(tiny_base: Path, tmp_path: Path):
    fit, holdout = tiny_rows(24), tiny_rows(6, seed=1, prefix="h")
    made = train_bundle(fit, holdout, tiny_recipe(tiny_base, precision="int8"), tmp_path / "bundle", "c")
    info = read_info(made.bundle)
    assert info.precision == "int8" and info.precision_check is not None
    assert "int8 is" in (made.bundle / "CARD.md").read_text(encoding="utf-8")
    predictor = Predictor(made.bundle, threads=1)
    predictor.check_golden()
    inside = [row for row in holdout if row.label != NONE]
    found = predictor.predict([row.message.text for row in inside]).scores.argmax(axis=1)
    assert np.mean([TAXONOMY.labels[at] == row.label for at, row in zip(found, inside, strict=True)]) > 0.8
