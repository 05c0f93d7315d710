"""From a trained network to a bundle, with the proof that ONNX answers as PyTorch does."""

import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from configs.errors import SwitchboardError
from training.bundle import CARD, GOLDEN, INFO, MODEL, TOKENIZER, BundleInfo, seal
from training.model import MessageClassifier
from training.predictor import Network, Predictor

TOLERANCE = 1e-4


def export_network(
    model: MessageClassifier, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int, path: Path
) -> None:
    """Write the network in ONNX, proved to answer on cleaned texts as PyTorch does."""
    _export_onnx(model, path)
    tokens = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    padded = tokenizer.pad({"input_ids": tokens}, return_tensors="pt")
    with torch.no_grad():
        logits, doubt = model(padded["input_ids"], padded["attention_mask"])
    found_logits, found_doubt = Network(path).logits(tokens)
    worst = max(np.abs(found_logits - logits.numpy()).max(), np.abs(found_doubt - doubt.numpy()).max())
    if not worst <= TOLERANCE:
        raise SwitchboardError(f"ONNX and PyTorch differ by {worst:.2e} on the golden messages (allowed {TOLERANCE})")


def write_bundle(
    network: Path, tokenizer: PreTrainedTokenizerBase, info: BundleInfo, golden: Sequence[str], card: str, folder: Path
) -> Path:
    """Write a sealed bundle to `folder`, which must not exist; nothing is left behind when a step fails."""
    if folder.exists():
        raise SwitchboardError(f"{folder}: exists already; name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    waiting = Path(tempfile.mkdtemp(prefix=".bundle-", dir=folder.parent))
    try:
        shutil.copyfile(network, waiting / MODEL)
        _save_tokenizer(tokenizer, waiting / TOKENIZER)
        (waiting / INFO).write_text(info.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (waiting / CARD).write_text(card, encoding="utf-8")
        (waiting / GOLDEN).write_text("", encoding="utf-8")
        seal(waiting)
        _write_golden(waiting, golden, Predictor(waiting))
        seal(waiting)
        waiting.chmod(0o755)
        waiting.rename(folder)
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return folder


def _save_tokenizer(tokenizer: PreTrainedTokenizerBase, path: Path) -> None:
    fast = tokenizer.backend_tokenizer
    if not isinstance(fast, Tokenizer):
        raise SwitchboardError(f"{tokenizer.name_or_path}: has no fast tokenizer, which a bundle needs")
    fast.save(str(path))


def _export_onnx(model: MessageClassifier, path: Path) -> None:
    ids = torch.tensor([[1, 2, 3], [1, 2, 0]])  # small ids, which every vocabulary has
    dynamic = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of indexing; the parity check is the proof
        torch.onnx.export(
            model.eval(), (ids, (ids > 0).long()), str(path), input_names=["input_ids", "attention_mask"],
            output_names=["logits", "doubt"], opset_version=17, dynamo=False, dynamic_axes={
                "input_ids": dynamic, "attention_mask": dynamic, "logits": {0: "batch"}, "doubt": {0: "batch"},
            },
        )  # fmt: skip


def _write_golden(folder: Path, golden: Sequence[str], predictor: Predictor) -> None:
    found = predictor.predict(list(golden))
    with (folder / GOLDEN).open("w", encoding="utf-8") as file:
        for text, scores, doubt in zip(golden, found.scores, found.doubt, strict=True):
            named = dict(zip(predictor.info.labels, scores.round(6).tolist(), strict=True))
            file.write(json.dumps({"text": text, "scores": named, "doubt": round(float(doubt), 6)}) + "\n")
