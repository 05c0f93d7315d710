"""A trained network cut down: fewer layers, and in each the neurons that matter most. Knows nothing of how it learns then."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from configs.errors import SwitchboardError
from training.model import MessageClassifier


def cut_down(
    network: MessageClassifier, layers: int | None, neurons: int | None, show: Callable[[MessageClassifier], object]
) -> MessageClassifier:
    """Return a copy with so many layers, spread evenly from the first to the last, and so many neurons in each.

    None leaves all; raise if as many are asked for as there are. `show` runs a network on texts, to see what its neurons do.
    """
    config = network.encoder.config
    _check("layers", layers, config.num_hidden_layers)
    _check("neurons", neurons, config.intermediate_size)
    smaller = copy.deepcopy(network)
    if layers is not None:
        kept = np.linspace(0, config.num_hidden_layers - 1, layers).round().astype(int)
        smaller.encoder.encoder.layer = nn.ModuleList([smaller.encoder.encoder.layer[at] for at in kept])
        smaller.encoder.config.num_hidden_layers = layers
    if neurons is not None:
        _narrow(smaller, neurons, show)
    return smaller


def _check(what: str, asked: int | None, whole: int) -> None:
    if asked is not None and asked >= whole:
        raise SwitchboardError(f"{what}={asked}: the encoder has {whole}; ask for fewer, or leave {what} out")


def _narrow(network: MessageClassifier, neurons: int, show: Callable[[MessageClassifier], object]) -> None:
    """Keep so many neurons of each feed-forward block: those with the largest mean square of what they add."""
    blocks = network.encoder.encoder.layer
    squares = _mean_squares([block.intermediate for block in blocks], lambda: show(network))
    for block, square in zip(blocks, squares, strict=True):
        inward, outward = block.intermediate.dense, block.output.dense
        added = square * (outward.weight.detach() ** 2).sum(dim=0)
        kept = added.topk(neurons).indices.sort().values
        inward.weight = nn.Parameter(inward.weight.detach()[kept].clone())
        inward.bias = nn.Parameter(inward.bias.detach()[kept].clone())
        outward.weight = nn.Parameter(outward.weight.detach()[:, kept].clone())
        inward.out_features = outward.in_features = neurons
    network.encoder.config.intermediate_size = neurons


def _mean_squares(modules: Sequence[nn.Module], show: Callable[[], object]) -> list[torch.Tensor]:
    """Return the mean square of each module's output channels while the network is shown texts."""
    sums: list[torch.Tensor] = []
    seen = [0] * len(modules)

    def watch(at: int) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
            squares = output.detach().float().square().flatten(0, -2)
            sums[at] = sums[at] + squares.sum(dim=0)
            seen[at] += len(squares)

        sums.append(torch.zeros(()))
        return hook

    handles = [module.register_forward_hook(watch(at)) for at, module in enumerate(modules)]
    try:
        with torch.no_grad():
            show()
    finally:
        for handle in handles:
            handle.remove()
    return [total / max(1, count) for total, count in zip(sums, seen, strict=True)]
