"""A small training as a process of its own, alone or under torchrun: `python -m tests.trainings BASE [ARCHIVE TEACHER]`."""

import sys
from pathlib import Path

from flows.model import follow_training, train_version
from flows.training_set import TrainingSet
from tests.tiny_base import tiny_recipe, tiny_rows
from training.archive import Archive
from training.parts import fingerprint
from training.processes import is_first

EPOCHS = 6


def main(base: Path, *given: str) -> None:
    """Train, evaluate and register the tiny rows, by an archive and its teacher if given, or do another process' share."""
    import torch

    torch.set_num_threads(1)
    fit, holdout, test = tiny_rows(24), tiny_rows(6, seed=1, prefix="h"), tiny_rows(4, seed=2, prefix="x")
    rows = TrainingSet(fit, holdout, test, fingerprint([*fit, *holdout, *test]))
    recipe = tiny_recipe(base, epochs=EPOCHS, patience=EPOCHS, noise=0.5)
    archive = Archive(Path(given[0]), teacher=Path(given[1])) if given else None
    if not is_first():
        follow_training(recipe, rows, archive)
        return
    new = train_version(recipe, rows, _say, archive=archive)
    _say(f"bundle {new.bundle}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
