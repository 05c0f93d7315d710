"""A smaller network that answers as a trained one does: a part of it, taught its vectors and its logits.

Learns from the texts alone, no labels; knows nothing of calibration or export.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from configs.recipe import Recipe
from training.device import device_of, on_best_device
from training.finetune import has_fast_bf16
from training.model import MessageClassifier
from training.order import LengthOrder
from training.predictor import length_batches
from training.smaller import cut_down

RATE, BATCH, WARM_UP_SHARE = 3e-4, 32, 0.05
_TEACHING_TOKENS = 4096
_SHOWN = 2000  # texts that show which neurons matter

Tokens = Sequence[Sequence[int]]


def distil(
    teacher: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens, recipe: Recipe,
    say: Callable[[str], None] = lambda line: None,
) -> MessageClassifier:  # fmt: skip
    """Return the teacher cut down as the recipe asks, with its heads, fitted to the teacher's answers on `tokens`."""
    torch.manual_seed(recipe.seed)
    student = _student(teacher, tokenizer, tokens, recipe)
    with on_best_device(teacher):
        vectors = _vectors(teacher, tokenizer, tokens)
    with on_best_device(student):
        _imitate(student, tokenizer, tokens, vectors, recipe.distil_epochs, recipe.seed, say)
    return student


def _student(
    teacher: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens, recipe: Recipe
) -> MessageClassifier:
    some = tokens[:: max(1, len(tokens) // _SHOWN)]
    return cut_down(teacher, recipe.layers, recipe.neurons, lambda network: _vectors(network, tokenizer, some))


def _imitate(
    student: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens, vectors: torch.Tensor, epochs: int,
    seed: int, say: Callable[[str], None],
) -> None:  # fmt: skip
    """Fit the student to its teacher's vectors (N, H) of the texts, and to what its heads make of them."""
    size = f"{len(student.encoder.encoder.layer)} layers of {student.encoder.config.intermediate_size} neurons"
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
            f"distilling to {size} on {len(tokens)} texts, epoch {epoch + 1} of {epochs}: "
            f"{lost:.4f} of the variance is missing"
        )


def distil_once(
    teacher: MessageClassifier, tokenizer: PreTrainedTokenizerBase, tokens: Tokens, recipe: Recipe, path: Path,
    say: Callable[[str], None] = lambda line: None,
) -> MessageClassifier:  # fmt: skip
    """Return the distilled network that a recipe asks for, kept at `path`: a killed run distils it only once."""
    if path.exists():
        student = _student(teacher, tokenizer, tokens[:1], recipe)  # of that shape: which neurons does not matter
        load_model(student, str(path))
        return student.eval()
    student = distil(teacher, tokenizer, tokens, recipe, say)
    waiting = path.with_suffix(".tmp")
    save_model(student, str(waiting))
    waiting.replace(path)
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
