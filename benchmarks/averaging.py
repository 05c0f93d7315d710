"""Networks whose weights are averages: over the last steps of a training, or over trainings that saw the rows in other orders."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments

from training.examples import Example
from training.model import MessageClassifier
from training.setup import Setup

Weights = dict[str, torch.Tensor]


class AverageSteps(TrainerCallback):
    """Ends a training with the mean of the weights after each step of its last `share` (Izmailov et al. 2018)."""

    def __init__(self, share: float) -> None:
        self._share, self._count = share, 0
        self._mean: Weights = {}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **found: Any) -> None:
        """Take in the weights of this step, if it is one of the last."""
        if state.global_step <= (1 - self._share) * state.max_steps:
            return
        self._count += 1
        for name, weights in _learnt(found["model"]).items():
            mean = self._mean.setdefault(name, torch.zeros_like(weights))
            mean += (weights - mean) / self._count

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **found: Any) -> None:
        """Put the mean in the place of the last weights."""
        for name, weights in _learnt(found["model"]).items():
            weights.copy_(self._mean[name])


def average_of_orders(setup: Setup, examples: Sequence[Example], count: int, folder: Path) -> MessageClassifier:
    """Return the mean of networks that start alike and see the rows in different orders (Wortsman et al. 2022)."""
    start = setup.new_network()
    made: list[MessageClassifier] = []
    for number in range(count):
        recipe = setup.recipe.model_copy(update={"seed": setup.recipe.seed + 1000 * number})
        own = replace(setup, recipe=recipe)
        made.append(own.fine_tuned(examples, None, folder / str(number), (), copy.deepcopy(start)).model)
    with torch.no_grad():
        for name, weights in _learnt(made[0]).items():
            weights.copy_(torch.stack([_learnt(one)[name] for one in made]).mean(dim=0))
    return made[0]


def _learnt(network: torch.nn.Module) -> Weights:
    return {name: weights.detach() for name, weights in network.named_parameters()}
