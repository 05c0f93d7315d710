"""A smaller network that answers as a trained one does: some of its layers, taught its vectors and its logits.

Learns from the texts alone, no labels; knows nothing of calibration or export.
"""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch import nn
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from configs.errors import SwitchboardError
from configs.recipe import Recipe
from training.device import device_of, on_best_device
from training.finetune import has_fast_bf16
from training.model import MessageClassifier
from training.order import LengthOrder
from training.predictor import length_batches

RATE, BATCH, WARM_UP_SHARE = 3e-4, 32, 0.05
_TEACHING_TOKENS = 4096

Tokens = Sequence[Sequence[int]]


def distil(
    teacher: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens, layers: int, epochs: int, seed: int,
    say: Callable[[str], None] = lambda line: None,
) -> MessageClassifier:  # fmt: skip
    """Return a network with `layers` of the teacher's layers and its heads, fitted to the teacher's answers on `tokens`."""
    torch.manual_seed(seed)
    student = shortened(teacher, layers)
    with on_best_device(teacher):
        vectors = _vectors(teacher, tokenizer, tokens)
    with on_best_device(student):
        _imitate(student, tokenizer, tokens, vectors, epochs, seed, say)
    return student


def _imitate(
    student: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens, vectors: torch.Tensor, epochs: int,
    seed: int, say: Callable[[str], None],
) -> None:  # fmt: skip
    """Fit the student to its teacher's vectors (N, H) of the texts, and to what its heads make of them."""
    layers = len(student.encoder.encoder.layer)
    spreads = [one.detach().var() for one in _parts(student, vectors)]  # of all texts: a batch of one has none
    order = LengthOrder([len(ids) for ids in tokens], BATCH, seed)
    steps = epochs * -(-len(tokens) // BATCH)
    warm_up = max(1, round(WARM_UP_SHARE * steps))
    optimizer = torch.optim.AdamW(student.encoder.parameters(), lr=RATE, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / warm_up, 1 - step / steps))
    student.eval()  # without dropout: its noise would only hide the teacher's answer
    for epoch in range(epochs):
        order.set_epoch(epoch)
        rows, lost = list(order), 0.0
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            found = _embed(student, tokenizer, [tokens[row] for row in part])
            loss = _difference(student, found, vectors[part], spreads)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            lost += loss.item() * len(part) / len(rows)
        say(
            f"distilling to {layers} layers on {len(tokens)} texts, epoch {epoch + 1} of {epochs}: "
            f"{lost:.4f} of the variance is missing"
        )


def distil_once(
    teacher: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens, recipe: Recipe, path: Path,
    say: Callable[[str], None] = lambda line: None,
) -> MessageClassifier:  # fmt: skip
    """Return the distilled network that a recipe asks for, kept at `path`: a killed run distils it only once."""
    whole, layers = teacher.encoder.config.num_hidden_layers, recipe.layers or 1
    if layers >= whole:
        raise SwitchboardError(f"layers={layers}: the encoder has {whole}; ask for fewer, or leave layers out")
    if path.exists():
        student = shortened(teacher, layers)
        load_model(student, str(path))
        return student.eval()
    student = distil(teacher, tokenizer, tokens, layers, recipe.distil_epochs, recipe.seed, say)
    waiting = path.with_suffix(".tmp")
    save_model(student, str(waiting))
    waiting.replace(path)
    return student


def shortened(teacher: MessageClassifier, layers: int) -> MessageClassifier:
    """Return a copy of the network with so many of its layers, spread evenly from the first to the last."""
    student = copy.deepcopy(teacher)
    whole = student.encoder.encoder.layer
    kept = np.linspace(0, len(whole) - 1, layers).round().astype(int)
    student.encoder.encoder.layer = nn.ModuleList([whole[at] for at in kept])
    student.encoder.config.num_hidden_layers = layers
    return student


def _vectors(teacher: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens) -> torch.Tensor:
    """Return the teacher's vector of each text, (N, H)."""
    vectors = torch.zeros(len(tokens), teacher.label_head.in_features, device=device_of(teacher))
    teacher.eval()
    with torch.no_grad():
        for batch in length_batches([len(ids) for ids in tokens], _TEACHING_TOKENS):
            vectors[batch] = _embed(teacher, tokenizer, [tokens[row] for row in batch])
    return vectors


def _embed(network: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens) -> torch.Tensor:
    device = device_of(network)
    padded = tokenizer.pad({"input_ids": [list(ids) for ids in tokens]}, return_tensors="pt").to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bf16()):
        return network.embed(padded["input_ids"], padded["attention_mask"]).float()


def _difference(
    network: MessageClassifier, found: torch.Tensor, wanted: torch.Tensor, spreads: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Return how far vectors (B, H) and the logits that the heads make of them are from the wanted, by their spread."""
    triples = zip(_parts(network, found), _parts(network, wanted), spreads, strict=True)
    return torch.stack([((one - other.detach()) ** 2).mean() / spread for one, other, spread in triples]).mean()


def _parts(network: MessageClassifier, vectors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return vectors (B, H) with the label and doubt logits that the heads make of them."""
    return vectors, network.label_head(vectors), network.doubt_head(vectors)
