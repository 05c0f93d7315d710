"""Where networks compute: on the best device within the block, on the CPU after it, whatever happened there."""

import pytest
import torch
from torch import nn

from training.device import best_device, device_of, on_best_device


def test_networks_are_on_the_cpu_again_even_after_a_failure():
    networks = nn.Linear(2, 2), nn.Linear(3, 3)
    before = [network.weight.detach().clone() for network in networks]
    with pytest.raises(KeyboardInterrupt), on_best_device(*networks) as device:
        assert device.type == best_device().type and all(device_of(one).type == device.type for one in networks)
        raise KeyboardInterrupt
    for network, weights in zip(networks, before, strict=True):
        assert device_of(network) == torch.device("cpu") and torch.equal(network.weight, weights)
