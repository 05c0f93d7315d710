"""How deep a parameter lies, and which of them learn."""

from torch import nn

EMBEDDINGS = 0


def depth_of(name: str) -> int | None:
    """Return the depth of a parameter named in a network: EMBEDDINGS, then 1 for the first layer; of a head None."""
    if not name.startswith("encoder."):
        return None
    numbers = (int(part) for part in name.split(".") if part.isdigit())  # "layer.3", "layers.3", "h.3"
    return next(numbers, EMBEDDINGS - 1) + 1


def freeze_up_to(network: nn.Module, depth: int | None) -> None:
    """Let only parameters deeper than `depth` and the heads learn; None lets all learn."""
    for name, parameter in network.named_parameters():
        found = depth_of(name)
        parameter.requires_grad_(depth is None or found is None or found > depth)
