"""Several processes of one training, as torchrun or accelerate start them: who writes, and how they part."""

import os


def is_first() -> bool:
    """Return whether this process is the one that writes files and logs the run."""
    return int(os.environ.get("RANK", "0")) == 0


def process_count() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def part_company() -> None:
    """Leave the group of processes, if there is one, so that each can end by itself."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
