"""Contrastive warm-up and closed-form heads: what a few labels are best learnt by (SetFit, Tunstall et al. 2022).

The encoder is drawn together within a label and apart between labels (supervised contrastive loss, Khosla et al.
2020); then logistic regression on its vectors becomes the heads, which needs no held-out rows.
"""

import numpy as np
import torch
from datasets import Dataset
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from configs.recipe import Recipe
from training.device import device_of, on_best_device
from training.finetune import has_fast_bf16
from training.model import MessageClassifier

_TEMPERATURE = 0.1
_PER_LABEL = 4  # rows of a label in a batch, so that each has somebody to be drawn to


def learn_by_contrast(
    network: MessageClassifier, tokenizer: PreTrainedTokenizerBase, rows: Dataset, recipe: Recipe
) -> MessageClassifier:
    """Return the network with its encoder warmed up and its heads fitted on tokenised rows."""
    with on_best_device(network):
        warm_up(network, tokenizer, rows, recipe, recipe.contrastive_steps)
        fit_heads(network.eval(), tokenizer, rows)
    return network


def warm_up(
    network: MessageClassifier, tokenizer: PreTrainedTokenizerBase, rows: Dataset, recipe: Recipe, steps: int
) -> None:
    """Draw the vectors of tokenised rows together within a label and apart between labels, for so many steps."""
    groups, device = _groups(rows), device_of(network)
    draw = np.random.default_rng(recipe.seed)
    optimizer = torch.optim.AdamW(
        network.encoder.parameters(), lr=recipe.contrastive_rate, weight_decay=recipe.weight_decay, fused=True
    )
    network.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.contrastive_rate * (1 - step / steps)
        batch = _balanced_batch(groups, draw)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_fast_bf16()):
            vectors = _vectors(network, tokenizer, rows, batch)
        loss = contrast(vectors.float(), torch.from_numpy(groups[batch]).to(device))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.encoder.parameters(), 1.0)
        optimizer.step()


def contrast(vectors: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """Return the supervised contrastive loss of vectors (B, H) in groups (B,); rows alone in theirs do not count."""
    unit = F.normalize(vectors, dim=-1)
    likeness = unit @ unit.T / _TEMPERATURE
    self_mask = torch.eye(len(groups), dtype=torch.bool, device=groups.device)
    log_share = F.log_softmax(likeness.masked_fill(self_mask, -1e9), dim=-1)
    friends = (groups[:, None] == groups[None, :]) & ~self_mask
    counts = friends.sum(dim=-1)
    mean = (log_share * friends).sum(dim=-1) / counts.clamp(min=1)
    return -mean[counts > 0].mean() if (counts > 0).any() else likeness.sum() * 0


def fit_heads(network: MessageClassifier, tokenizer: PreTrainedTokenizerBase, rows: Dataset) -> None:
    """Set both heads to the logistic regressions on the encoder's vectors: labels, and belonging nowhere."""
    groups, labels = _groups(rows), network.label_head.out_features
    with torch.no_grad():
        vectors = np.concatenate([
            _vectors(network, tokenizer, rows, np.arange(at, min(at + 64, len(rows)))).float().cpu().numpy()
            for at in range(0, len(rows), 64)
        ])  # fmt: skip
    weight = np.array(rows["weight"])
    inside = groups < labels
    _set_head(network.label_head, vectors[inside], groups[inside], weight[inside])
    if inside.all():
        with torch.no_grad():
            network.doubt_head.weight.zero_()
            network.doubt_head.bias.zero_()
    else:
        _set_head(network.doubt_head, vectors, (~inside).astype(int), weight)


def _set_head(head: torch.nn.Linear, vectors: np.ndarray, classes: np.ndarray, weight: np.ndarray) -> None:
    scale = np.linalg.norm(vectors, axis=1).mean()  # the regression's penalty is meant for vectors of length 1
    fitted = LogisticRegression(max_iter=1000, class_weight="balanced").fit(vectors / scale, classes, weight)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(-20.0 if head.out_features > 1 else 0.0)  # a label without a row is never given
        at = fitted.classes_ if head.out_features > 1 else [0]
        head.weight[at] = head.weight.new_tensor(fitted.coef_ / scale)
        head.bias[at] = head.bias.new_tensor(fitted.intercept_)


def _groups(rows: Dataset) -> np.ndarray:
    """Return each row's label id, or the number of labels for one that belongs nowhere."""
    targets = np.array(rows["targets"])
    return np.where(targets.sum(axis=1) > 0, targets.argmax(axis=1), targets.shape[1])


def _balanced_batch(groups: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    present = np.unique(groups)
    drawn = [draw.choice(own := np.flatnonzero(groups == group), min(_PER_LABEL, len(own)), False) for group in present]
    return np.concatenate(drawn)


def _vectors(
    network: MessageClassifier, tokenizer: PreTrainedTokenizerBase, rows: Dataset, batch: np.ndarray
) -> torch.Tensor:
    padded = tokenizer.pad({"input_ids": rows[batch.tolist()]["input_ids"]}, return_tensors="pt").to(device_of(network))
    return network.embed(padded["input_ids"], padded["attention_mask"])
