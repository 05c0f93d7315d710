"""The training loss: labels, doubt, and uniform scores where nothing fits."""

import torch
from torch.nn import functional as F

from configs.recipe import Recipe


def classification_loss(
    logits: torch.Tensor, doubt_logits: torch.Tensor, targets: torch.Tensor, doubt: torch.Tensor,
    importance: torch.Tensor, class_weights: torch.Tensor, recipe: Recipe,
) -> torch.Tensor:  # fmt: skip
    """Return the mean loss of a batch, each message counting by its `importance` (B,), which averages 1.

    Soft-target cross-entropy with class weights on messages that have a label; binary cross-entropy on doubt;
    on the others, cross-entropy to uniform scores (outlier exposure, Hendrycks et al. 2019).
    """
    smoothed = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / targets.shape[1]
    log_scores = F.log_softmax(logits.float(), dim=-1)
    in_scope = targets.sum(dim=-1)
    per_message = -(smoothed * log_scores).sum(dim=-1) * (targets @ class_weights) * importance
    label_loss = (per_message * in_scope).sum() / in_scope.sum().clamp(min=1)
    doubt_loss = F.binary_cross_entropy_with_logits(doubt_logits.float(), doubt, importance)
    outside = 1 - in_scope
    uniform_loss = (-log_scores.mean(dim=-1) * outside * importance).sum() / outside.sum().clamp(min=1)
    return label_loss + recipe.doubt_weight * doubt_loss + recipe.outlier_exposure * uniform_loss


def agreement_loss(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the symmetric KL divergence of two passes' scores (R-Drop, Liang et al. 2021)."""
    one, two = F.log_softmax(first.float(), dim=-1), F.log_softmax(second.float(), dim=-1)
    forward = F.kl_div(one, two, log_target=True, reduction="batchmean")
    return (forward + F.kl_div(two, one, log_target=True, reduction="batchmean")) / 2
