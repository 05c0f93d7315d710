"""The average of pretrained and fine-tuned encoders is taken weight by weight, and leaves the heads alone."""

import pytest
import torch

from tests.tiny_base import make_base_model
from training.model import MessageClassifier
from training.robust import encoder_weights, keep_pretrained


@pytest.fixture
def network(tmp_path):
    return MessageClassifier(str(make_base_model(tmp_path / "base")), 8, "mean", 0.1)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_each_weight_is_the_weighted_mean_of_both_ends(network, share):
    before = encoder_weights(network)
    heads = network.label_head.weight.detach().clone()
    with torch.no_grad():
        for parameter in network.encoder.parameters():
            parameter.add_(1.0)
    keep_pretrained(network, before, share)
    for name, value in network.encoder.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, before[name] + (1 - share))
    torch.testing.assert_close(network.label_head.weight, heads)
