"""Fine-tuning with the transformers Trainer: from tokenised rows to a trained network.

Knows nothing of files, calibration, export or MLflow.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from sklearn.metrics import f1_score
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)  # fmt: skip
from transformers.trainer_utils import get_last_checkpoint

from configs.recipe import Recipe
from training.loss import agreement_loss, classification_loss
from training.model import MessageClassifier
from training.noise import NoiseEachEpoch, NoisyRows
from training.targets import class_weights


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A trained network with what happened on the way: one record a logging step or evaluation."""

    model: MessageClassifier
    history: list[dict[str, float]]


class _Trainer(Trainer):
    """The Trainer with our loss, length-grouped batches and layer-wise learning rates."""

    def __init__(self, network: MessageClassifier, recipe: Recipe, weights: torch.Tensor, **kwargs: Any) -> None:
        super().__init__(model=network, **kwargs)
        self.network, self.recipe, self.weights = network, recipe, weights

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], return_outputs: bool = False,
        num_items_in_batch: Any = None, **_: Any,
    ) -> Any:  # fmt: skip
        """Return the loss, and the label and doubt logits where asked for."""
        tokens = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]}
        weights = self.weights.to(inputs["targets"].device)
        logits, doubt = model(**tokens)
        loss = classification_loss(logits, doubt, inputs["targets"], inputs["doubt"], weights, self.recipe)
        if self.recipe.rdrop and model.training:
            again, doubt_again = model(**tokens)
            other = classification_loss(again, doubt_again, inputs["targets"], inputs["doubt"], weights, self.recipe)
            loss = (loss + other) / 2 + self.recipe.rdrop * agreement_loss(logits, again)
        return (loss, {"logits": logits, "doubt": doubt}) if return_outputs else loss

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Return AdamW with a rate a layer: the head's own, the encoder's decaying towards the embeddings."""
        if self.optimizer is None:
            self.optimizer = torch.optim.AdamW(parameter_groups(self.network, self.recipe), fused=True)
        return self.optimizer


def parameter_groups(model: MessageClassifier, recipe: Recipe) -> list[dict[str, Any]]:
    """Return AdamW's parameter groups, one for each learning rate and weight decay in use."""
    layers = model.encoder.config.num_hidden_layers
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        rate = _rate(name, layers, recipe)
        decay = 0.0 if parameter.ndim < 2 else recipe.weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": found, "lr": rate, "weight_decay": decay} for (rate, decay), found in groups.items()]


def _rate(name: str, layers: int, recipe: Recipe) -> float:
    if not name.startswith("encoder."):
        return recipe.head_learning_rate
    depth = next((int(part) + 1 for part in name.split(".") if part.isdigit()), 0)  # "layer.3", "layers.3", "h.3"
    return recipe.learning_rate * recipe.layer_decay ** (layers - depth)


def fine_tune(
    model: MessageClassifier, tokenizer: PreTrainedTokenizerBase, train: Dataset, holdout: Dataset, recipe: Recipe,
    folder: Path, callbacks: tuple[TrainerCallback, ...] = (), resume: bool = True, noisy: NoisyRows | None = None,
) -> FineTuned:  # fmt: skip
    """Return the network of the best epoch on the held-out rows; a killed run resumes from `folder`'s checkpoint.

    `noisy` are the rows of `train` with noise, fitted in their place.
    """
    set_seed(recipe.seed)
    trainer = _Trainer(
        network=model,
        args=_arguments(recipe, folder, len(train)),
        train_dataset=noisy or train,
        eval_dataset=holdout,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_metrics,
        callbacks=[EarlyStoppingCallback(recipe.patience), *([NoiseEachEpoch(noisy)] if noisy else []), *callbacks],
        recipe=recipe,
        weights=torch.tensor(class_weights(np.array(train["targets"]), recipe.class_weights)),
    )
    last = get_last_checkpoint(str(folder)) if resume and folder.is_dir() else None
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last)
    # Mixed precision wraps `forward`; the network must leave as it came, or it would be exported with its casts.
    trained = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    return FineTuned(trained.eval().cpu().float(), list(trainer.state.log_history))


def _arguments(recipe: Recipe, folder: Path, rows: int) -> TrainingArguments:
    steps = -(-rows // recipe.batch_size) * recipe.epochs
    gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(folder), num_train_epochs=recipe.epochs, per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=64, learning_rate=recipe.learning_rate, lr_scheduler_type="linear",
        warmup_steps=round(recipe.warmup_share * steps), weight_decay=recipe.weight_decay,
        eval_strategy="epoch", save_strategy="epoch", save_total_limit=recipe.patience + 1, logging_steps=20,
        load_best_model_at_end=True, metric_for_best_model="macro_f1", greater_is_better=True,
        train_sampling_strategy="group_by_length", length_column_name="length", remove_unused_columns=False,
        label_names=["targets", "doubt"], bf16=has_fast_bf16(), use_cpu=not gpu,
        dataloader_pin_memory=gpu, seed=recipe.seed, data_seed=recipe.seed, report_to="none", disable_tqdm=True,
    )  # fmt: skip


def has_fast_bf16() -> bool:
    """Return whether the hardware multiplies bf16 matrices faster than fp32: a GPU that can, or a CPU with AMX."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def _metrics(prediction: EvalPrediction) -> dict[str, float]:
    logits, targets = np.asarray(prediction.predictions[0]), np.asarray(prediction.label_ids[0])
    known = targets.sum(axis=1) > 0
    true, found = targets[known].argmax(axis=1), logits[known].argmax(axis=1)
    return {"macro_f1": float(f1_score(true, found, average="macro"))}
