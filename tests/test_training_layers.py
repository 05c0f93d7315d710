"""What is frozen stays as it was through a fine-tuning, everything deeper learns, and nothing is left frozen after it."""

from pathlib import Path

import pytest
import torch

from configs.taxonomy import load_taxonomy
from tests.tiny_base import tiny_recipe, tiny_rows
from training.examples import as_examples
from training.layers import EMBEDDINGS, depth_of
from training.model import MessageClassifier
from training.setup import make_ready


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("encoder.embeddings.word_embeddings.weight", EMBEDDINGS), ("encoder.encoder.layer.0.output.dense.bias", 1),
        ("encoder.layers.11.mlp.weight", 12), ("label_head.weight", None), ("attention.weight", None),
    ],
)  # fmt: skip
def test_the_depth_of_a_parameter_is_read_from_its_name(name: str, depth: int | None):
    assert depth_of(name) == depth


@pytest.mark.parametrize("frozen", [None, 0, 1])
def test_what_is_frozen_does_not_learn_and_the_rest_does(tiny_base: Path, tmp_path: Path, frozen: int | None):
    setup = make_ready(tiny_recipe(tiny_base, frozen_depth=frozen, epochs=1, weight_decay=0.0))
    before = {name: value.detach().clone() for name, value in setup.new_network().named_parameters()}
    after = setup.fine_tuned(as_examples(tiny_rows(4)), None, tmp_path / "run", ()).model
    for name, value in after.named_parameters():
        depth = depth_of(name)
        assert value.requires_grad
        if frozen is not None and depth is not None and depth <= frozen:
            assert torch.equal(value, before[name]), name
        elif name.endswith("dense.weight") or name == "label_head.weight":
            assert not torch.equal(value, before[name]), name


def test_the_encoder_drops_out_as_much_as_it_is_told(tiny_base: Path):
    network = MessageClassifier(str(tiny_base), len(load_taxonomy().labels), "mean", 0.1, 0.2)
    rates = {module.p for module in network.encoder.modules() if isinstance(module, torch.nn.Dropout)}
    assert rates == {0.2} and network.dropout.p == 0.1
