"""What a person reads while a training goes on."""

from transformers.trainer_callback import TrainerControl, TrainerState
from transformers.training_args import TrainingArguments

from flows.progress import ProgressPrinter


def test_each_training_says_every_tenth_how_far_it_is_and_how_long_it_takes(tmp_path):
    said: list[str] = []
    printer, arguments, control = ProgressPrinter(said.append), TrainingArguments(str(tmp_path)), TrainerControl()
    for first in (0, 40):  # a whole training, and one that goes on from a checkpoint
        printer.on_train_begin(arguments, TrainerState(global_step=first, max_steps=80), control)
        for step in range(first + 1, 81):
            printer.on_step_end(arguments, TrainerState(global_step=step, max_steps=80), control)
    steps = [line.split(":")[0].strip() for line in said]
    assert steps == [f"step {8 * tenth} of 80" for tenth in (*range(1, 11), *range(6, 11))]
    assert all(" min, about " in line and line.endswith(" to go") for line in said)
