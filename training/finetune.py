"""Fine-tuning with the transformers Trainer: from tokenised rows to a trained network.

Knows nothing of calibration, export or MLflow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from safetensors.torch import load_model
from sklearn.metrics import f1_score
from transformers.data.data_collator import DataCollatorWithPadding
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.trainer_callback import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from transformers.trainer_utils import EvalPrediction, set_seed
from transformers.training_args import TrainingArguments

from configs.recipe import Recipe
from training.checkpoints import SealCheckpoints, had_stopped, last_checkpoint, read_state, remove_broken
from training.layers import freeze_up_to
from training.model import MessageClassifier
from training.noise import NoiseEachEpoch, NoisyRows
from training.processes import is_first, process_count
from training.targets import class_weights
from training.trainer import MessageTrainer


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A trained network with what happened on the way: one record a logging step or evaluation."""

    model: MessageClassifier
    history: list[dict[str, float]]

    @property
    def is_last(self) -> bool:
        """Whether the network is that of the last epoch: none was held to be better, on rows held out or for want of them."""
        figures = [record["eval_macro_f1"] for record in self.history if "eval_macro_f1" in record]
        return not figures or all(figures[-1] > earlier for earlier in figures[:-1])


def fine_tune(
    model: MessageClassifier, tokenizer: PreTrainedTokenizerBase, train: Dataset, holdout: Dataset | None, recipe: Recipe,
    folder: Path, callbacks: tuple[TrainerCallback, ...] = (), noisy: NoisyRows | None = None,
) -> FineTuned:  # fmt: skip
    """Return the network of the best epoch on the held-out rows, or of the last one where none are held out.

    A killed run goes on from `folder`'s last whole checkpoint. `noisy` are the rows of `train` with noise, fitted in
    their place.
    """
    last = last_checkpoint(folder)
    if is_first():
        remove_broken(folder)
    if last is not None and holdout is not None and had_stopped(state := read_state(last), recipe.patience):
        load_model(model, str(Path(str(state.best_model_checkpoint)) / "model.safetensors"))
        return FineTuned(model.eval(), _curve(state.log_history))
    set_seed(recipe.seed)
    freeze_up_to(model, recipe.frozen_depth)
    targets, weight = np.array(train["targets"]), np.array(train["weight"])
    trainer = MessageTrainer(
        network=model,
        args=_arguments(recipe, folder, len(train), holdout is not None),
        train_dataset=noisy or train,
        eval_dataset=holdout.sort("length") if holdout is not None else None,  # in batches that pad little
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_metrics,
        callbacks=[*_own_callbacks(recipe, holdout, noisy), *callbacks],
        recipe=recipe,
        class_weights=torch.tensor(class_weights(targets * weight[:, None], recipe.class_weights)),
        lengths=list(train["length"]),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    # Mixed precision wraps `forward`; the network must leave as it came, or it would be exported with its casts.
    trained = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    freeze_up_to(trained, None)
    return FineTuned(trained.eval().cpu().float(), _curve(trainer.state.log_history))


def has_fast_bf16() -> bool:
    """Return whether the hardware multiplies bf16 matrices faster than fp32: a GPU that can, or a CPU with AMX or AVX512_BF16."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    found = torch.cpu.get_capabilities()
    return bool(found.get("amx_bf16") or found.get("avx512_bf16"))


def _own_callbacks(recipe: Recipe, holdout: Dataset | None, noisy: NoisyRows | None) -> list[TrainerCallback]:
    callbacks: list[TrainerCallback] = [SealCheckpoints()]
    if holdout is not None:
        callbacks.append(EarlyStoppingCallback(recipe.patience))
    if noisy is not None:
        callbacks.append(NoiseEachEpoch(noisy))
    return callbacks


def _arguments(recipe: Recipe, folder: Path, rows: int, evaluates: bool) -> TrainingArguments:
    epochs = recipe.epochs_over(rows)
    steps = -(-rows // recipe.batch_size) * epochs
    gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(folder), num_train_epochs=epochs,
        per_device_train_batch_size=max(1, recipe.batch_size // process_count()), per_device_eval_batch_size=64,
        learning_rate=recipe.learning_rate, lr_scheduler_type="linear",
        warmup_steps=round(recipe.warmup_share * steps), weight_decay=recipe.weight_decay,
        eval_strategy="epoch" if evaluates else "no", save_strategy="epoch", save_total_limit=recipe.patience + 1,
        load_best_model_at_end=evaluates, metric_for_best_model="macro_f1" if evaluates else None,
        greater_is_better=True if evaluates else None, logging_steps=20, remove_unused_columns=False,
        restore_callback_states_from_checkpoint=True, label_names=["targets", "doubt"], bf16=has_fast_bf16(),
        use_cpu=not gpu, ddp_backend="gloo" if process_count() > 1 and not gpu else None, dataloader_pin_memory=gpu, seed=recipe.seed,
        data_seed=recipe.seed, report_to="none", disable_tqdm=True,
    )  # fmt: skip


def _curve(history: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Return the records of learning, without the closing summary, which counts from the last resume."""
    return [record for record in history if "train_runtime" not in record]


def _metrics(prediction: EvalPrediction) -> dict[str, float]:
    logits, targets = np.asarray(prediction.predictions[0]), np.asarray(prediction.label_ids[0])
    known = targets.sum(axis=1) > 0
    true, found = targets[known].argmax(axis=1), logits[known].argmax(axis=1)
    return {"macro_f1": float(f1_score(true, found, average="macro"))}
