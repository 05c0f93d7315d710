"""Training's progress as lines for a person: one an epoch, and a step count on a terminal."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments


class ProgressPrinter(TrainerCallback):
    """Says every tenth of the way how far it is and how long it takes, and each evaluation's macro-F1."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tenths = 0
        self._began, self._before = monotonic(), 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Count from here: what a killed run did before took another time."""
        self._tenths = 10 * state.global_step // max(1, state.max_steps)
        self._began, self._before = monotonic(), state.global_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Say how far it is when another tenth of the steps is done."""
        tenths = 10 * state.global_step // max(1, state.max_steps)
        if tenths > self._tenths:
            self._tenths = tenths
            taken = (monotonic() - self._began) / 60
            left = taken * (state.max_steps - state.global_step) / (state.global_step - self._before)
            self._say(f"  step {state.global_step} of {state.max_steps}: {taken:.1f} min, about {left:.1f} to go")

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        """Say how the held-out messages are told apart after each epoch."""
        metrics = given.get("metrics") or {}
        self._say(f"  epoch {metrics.get('epoch', 0):.0f}: macro-F1 {metrics.get('eval_macro_f1', 0):.3f} held out")
