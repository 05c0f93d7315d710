"""Precision: int8 answers nearly as fp32 does, whatever stands beside a message, and is taken only where it pays."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper
from transformers import AutoTokenizer

from configs.taxonomy import NONE, load_taxonomy
from data.messages import LabelledMessage, Message
from tests.tiny_base import tiny_recipe, tiny_rows
from training import precision
from training import run as training_run
from training.bundle import PrecisionCheck, read_info
from training.export import export_network
from training.model import MessageClassifier
from training.precision import choose_precision
from training.predictor import Network, Predictor
from training.quantise import quantise
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


def test_a_resumed_run_ships_the_precision_that_was_measured_before_it_was_killed(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    speeds = iter([9.0, 0.1])
    monkeypatch.setattr(precision, "_speedup", lambda *_: next(speeds))
    monkeypatch.setattr(precision, "MOST_CHANGED", 1.0)
    monkeypatch.setattr(precision, "MOST_LOST", 1.0)
    given = tiny_rows(24), tiny_rows(6, seed=1, prefix="h"), tiny_recipe(tiny_base, precision="auto")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(training_run, "write_bundle", _interrupt)
        train_bundle(*given, tmp_path / "b", "c", work=tmp_path / "w")
    resumed = train_bundle(*given, tmp_path / "b", "c", work=tmp_path / "w")
    assert resumed.info.precision == "int8"
    assert resumed.info.precision_check is not None and resumed.info.precision_check.speedup == 9.0


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_weights_that_two_products_share_are_each_quantised_for_their_own_input(tmp_path: Path):
    draw = np.random.default_rng(1)
    tensors = {"words": draw.normal(size=(9, 32)), "shared": draw.normal(size=(32, 32))}
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["states"], axis=0),
        helper.make_node("MatMul", ["states", "shared"], ["first"]),
        helper.make_node("MatMul", ["first", "shared"], ["second"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in ("input_ids", "attention_mask")]  # fmt: skip
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("second", "mask")]
    held = [onnx.numpy_helper.from_array(value.astype(np.float32), name) for name, value in tensors.items()]
    made = helper.make_graph(nodes, "shared", inputs, outputs, held)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(tmp_path / "a"))
    batch = np.arange(9)[None], np.ones((1, 9), dtype=np.int64)
    quantise(tmp_path / "a", tmp_path / "b", [batch])
    exact, coarse = (
        ort.InferenceSession(str(tmp_path / name)).run(["second"], dict(zip(("input_ids", "attention_mask"), batch, strict=True)))[0]
        for name in "ab"
    )  # fmt: skip
    assert 0 < np.abs(exact - coarse).max() < 0.05 * np.abs(exact).max()


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


def test_a_few_held_out_rows_do_not_choose_the_precision_alone(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training_run, "CHECKED", 100)
    fit, holdout = tiny_rows(24), tiny_rows(6, seed=1, prefix="h")
    made = train_bundle(fit, holdout, tiny_recipe(tiny_base, precision="int8"), tmp_path / "bundle", "c")
    assert made.info.precision_check is not None and made.info.precision_check.rows == 100
    monkeypatch.setattr(training_run, "CHECKED", 10)
    again = train_bundle(fit, holdout, tiny_recipe(tiny_base, precision="int8"), tmp_path / "again", "c")
    assert again.info.precision_check is not None and again.info.precision_check.rows == len(holdout)
    assert made.info.calibration == again.info.calibration, "what was learnt does not calibrate"
