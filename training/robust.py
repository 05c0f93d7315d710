"""Keeping what pre-training knew: a fine-tuned encoder pulled part of the way back to where it started."""

from collections.abc import Mapping

import torch

from training.model import MessageClassifier


def encoder_weights(network: MessageClassifier) -> dict[str, torch.Tensor]:
    """Return a copy of the encoder's weights."""
    return {name: value.detach().clone() for name, value in network.encoder.state_dict().items()}


def keep_pretrained(network: MessageClassifier, pretrained: Mapping[str, torch.Tensor], share: float) -> None:
    """Set the encoder to `share` of its pretrained and the rest of its fine-tuned weights; the heads stay.

    On texts unlike those it was tuned on, such an average is better than either end (WiSE-FT, Wortsman et al. 2022).
    """
    tuned = network.encoder.state_dict()
    mixed = {
        name: torch.lerp(value.float(), pretrained[name].to(value).float(), share).to(value.dtype)
        if value.is_floating_point() else value
        for name, value in tuned.items()
    }  # fmt: skip
    network.encoder.load_state_dict(mixed)
