"""Where networks are learnt and asked before they are exported: a GPU where there is one, else the CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def best_device() -> torch.device:
    """Return the device on which this machine computes fastest."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_of(network: nn.Module) -> torch.device:
    """Return where a network's weights lie; what it reads must lie there too."""
    return next(network.parameters()).device


@contextmanager
def on_best_device(*networks: nn.Module) -> Iterator[torch.device]:
    """Have networks on the best device within the block, and on the CPU after it, whence they are exported."""
    device = best_device()
    try:
        for network in networks:
            network.to(device)
        yield device
    finally:
        for network in networks:
            network.cpu()
