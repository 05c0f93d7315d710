"""A tiny real bundle for tests: a bag-of-words model in ONNX that knows a few words for each label.

`make_bundle` needs no training and no torch; other rooms' tests may use it wherever a predictor is needed.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from configs.taxonomy import load_taxonomy
from training.bundle import CARD, GOLDEN, INFO, MODEL, TOKENIZER, BundleInfo, Calibration, Thresholds, seal
from training.predictor import Predictor

LABELS = load_taxonomy().labels
WORDS = {
    "spam": "giveaway tag win",
    "request": "broken router refund dead order",
    "question": "when how hours open",
    "abuse": "worst useless pathetic joke",
    "praise": "thanks love great brilliant",
    "lead": "switching buy plan price",
    "suggestion": "please add wish should",
    "fraud": "scam phishing fake impersonating",
}
NOWHERE = "done idk whatever"  # words that teach doubt
GOLDEN_TEXTS = tuple(f"{words} and more" for words in WORDS.values())


def make_bundle(folder: Path, strength: float = 2.0, name: str = "tiny", auto: float = 0.6) -> Path:
    """Write a sealed bundle whose scores grow with `strength`; return its folder."""
    folder.mkdir(parents=True)
    vocabulary = _vocabulary()
    _tokenizer(vocabulary).save(str(folder / TOKENIZER))
    onnx.save(_model(_weights(vocabulary, strength)), str(folder / MODEL))
    info = BundleInfo(
        name=name, created="2026-11-21T00:00:00+00:00", labels=LABELS, taxonomy_version=load_taxonomy().version,
        max_tokens=32, calibration=Calibration(),
        thresholds=Thresholds(auto=dict.fromkeys(LABELS, auto), out_of_scope=0.5, playbook_version="1"),
        base_model="words", base_digest="0" * 64, data_fingerprint="0" * 64, commit="0" * 40, recipe={},
    )  # fmt: skip
    (folder / INFO).write_text(info.model_dump_json(), encoding="utf-8")
    (folder / CARD).write_text(f"# {name}\n", encoding="utf-8")
    (folder / GOLDEN).write_text("", encoding="utf-8")
    seal(folder)
    _write_golden(folder)
    seal(folder)
    return folder


def _vocabulary() -> dict[str, int]:
    words = ["[PAD]", "[UNK]", *" ".join(WORDS.values()).split(), *NOWHERE.split()]
    return {word: number for number, word in enumerate(words)}


def _tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def _weights(vocabulary: dict[str, int], strength: float) -> np.ndarray:
    """Return what each word adds to the label logits and the doubt logit, (V, L + 1)."""
    weights = np.zeros((len(vocabulary), len(LABELS) + 1), dtype=np.float32)
    for label, words in WORDS.items():
        for word in words.split():
            weights[vocabulary[word], LABELS.index(label)] = strength
            weights[vocabulary[word], -1] = -1.0
    for word in NOWHERE.split():
        weights[vocabulary[word], -1] = 2.0
    return weights


def _model(weights: np.ndarray) -> onnx.ModelProto:
    labels = len(LABELS)
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["states"], axis=0),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["states", "mask3"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "one"], ["sums"], keepdims=0),
        helper.make_node("Split", ["sums", "sizes"], ["logits", "doubt2"], axis=1),
        helper.make_node("Squeeze", ["doubt2", "one"], ["doubt_sum"]),
        helper.make_node("Sub", ["doubt_sum", "unsure"], ["doubt"]),
    ]
    constants = {
        "weights": weights, "last": np.array([-1]), "one": np.array([1]), "sizes": np.array([labels, 1]),
        "unsure": np.array(1.0, dtype=np.float32),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes, "words",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", labels]),
         helper.make_tensor_value_info("doubt", TensorProto.FLOAT, ["n"])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _write_golden(folder: Path) -> None:
    found = Predictor(folder, threads=1).predict(GOLDEN_TEXTS)
    rows = (
        {"text": text, "scores": dict(zip(LABELS, scores.tolist(), strict=True)), "doubt": float(doubt)}
        for text, scores, doubt in zip(GOLDEN_TEXTS, found.scores, found.doubt, strict=True)
    )
    (folder / GOLDEN).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
