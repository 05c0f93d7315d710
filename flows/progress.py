"""Training's progress as lines for a person: one an epoch, and a step count on a terminal."""

from collections.abc import Callable
from typing import Any

from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments


class ProgressPrinter(TrainerCallback):
    """Says the share done every tenth of the way, and each evaluation's macro-F1."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tenths = 0

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Say the share done when another tenth of the steps is."""
        tenths = 10 * state.global_step // max(1, state.max_steps)
        if tenths > self._tenths:
            self._tenths = tenths
            self._say(f"  step {state.global_step} of {state.max_steps}")

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        """Say how the held-out messages are told apart after each epoch."""
        metrics = given.get("metrics") or {}
        self._say(f"  epoch {metrics.get('epoch', 0):.0f}: macro-F1 {metrics.get('eval_macro_f1', 0):.3f} held out")
