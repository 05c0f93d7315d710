"""The transformers Trainer with our loss, our order of rows and a learning rate a layer."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.trainer import Trainer

from configs.recipe import Recipe
from training.layers import depth_of
from training.loss import agreement_loss, classification_loss
from training.model import MessageClassifier
from training.order import LengthOrder


class MessageTrainer(Trainer):
    """Trains a `MessageClassifier`; `lengths` are those of the training rows, `class_weights` has one a label (L,)."""

    def __init__(
        self, network: MessageClassifier, recipe: Recipe, class_weights: torch.Tensor, lengths: Sequence[int],
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(model=network, **kwargs)
        self.network, self.recipe = network, recipe
        self.class_weights, self.lengths = class_weights, lengths

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], return_outputs: bool = False,
        num_items_in_batch: Any = None, **_: Any,
    ) -> Any:  # fmt: skip
        """Return the loss, and the label and doubt logits where asked for."""
        tokens = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]}
        logits, doubt = model(**tokens)
        loss = self._loss(logits, doubt, inputs)
        if self.recipe.rdrop and model.training:
            again, doubt_again = model(**tokens)
            other = self._loss(again, doubt_again, inputs)
            loss = (loss + other) / 2 + self.recipe.rdrop * agreement_loss(logits, again)
        return (loss, {"logits": logits, "doubt": doubt}) if return_outputs else loss

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Return AdamW with a rate a layer: the head's own, the encoder's decaying towards the embeddings."""
        if self.optimizer is None:
            self.optimizer = torch.optim.AdamW(parameter_groups(self.network, self.recipe), fused=True)
        return self.optimizer

    def _loss(self, logits: torch.Tensor, doubt: torch.Tensor, inputs: dict[str, Any]) -> torch.Tensor:
        weights = self.class_weights.to(logits.device)
        taught = (inputs["targets"], inputs["doubt"], inputs["weight"])
        return classification_loss(logits, doubt, *taught, weights, self.recipe)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthOrder:
        return LengthOrder(self.lengths, self.recipe.batch_size, self.recipe.seed)


def parameter_groups(model: MessageClassifier, recipe: Recipe) -> list[dict[str, Any]]:
    """Return AdamW's groups of the parameters that learn, one for each learning rate and weight decay in use."""
    layers = model.encoder.config.num_hidden_layers
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = _rate(name, layers, recipe)
        decay = 0.0 if parameter.ndim < 2 else recipe.weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": found, "lr": rate, "weight_decay": decay} for (rate, decay), found in groups.items()]


def _rate(name: str, layers: int, recipe: Recipe) -> float:
    if (depth := depth_of(name)) is None:
        return recipe.head_learning_rate
    return recipe.learning_rate * recipe.layer_decay ** (layers - depth)
