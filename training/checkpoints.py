"""Checkpoints that can be trusted after a kill: sealed when they are whole, and the others thrown away."""

import shutil
from pathlib import Path
from typing import Any

from transformers.trainer_callback import EarlyStoppingCallback, TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from transformers.training_args import TrainingArguments

_SEAL, _STATE = "complete", "trainer_state.json"


class SealCheckpoints(TrainerCallback):
    """Marks each checkpoint once everything of it is written."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Write the mark, by the first process."""
        if state.is_world_process_zero:
            (Path(str(args.output_dir)) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}" / _SEAL).touch()


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint in a folder, or None."""
    found = [path for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if (path / _SEAL).exists()]
    return max(found, key=_step, default=None)


def remove_broken(folder: Path) -> None:
    """Throw away the checkpoints that a kill left unfinished."""
    for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        if not (path / _SEAL).exists():
            shutil.rmtree(path)


def read_state(checkpoint: Path) -> TrainerState:
    """Return how far a checkpoint had come."""
    return TrainerState.load_from_json(str(checkpoint / _STATE))


def had_stopped(state: TrainerState, patience: int) -> bool:
    """Return whether training had already stopped early when the checkpoint was written."""
    callbacks = state.stateful_callbacks
    stored = callbacks.get(EarlyStoppingCallback.__name__) if isinstance(callbacks, dict) else None
    attributes = stored.get("attributes", {}) if isinstance(stored, dict) else {}
    return attributes.get("early_stopping_patience_counter", 0) >= patience


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
