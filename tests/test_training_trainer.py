"""Parameter groups: every parameter once, the head's own rate, the encoder's decaying towards the embeddings."""

from pathlib import Path

import pytest

from tests.tiny_base import tiny_recipe
from training.model import MessageClassifier
from training.trainer import parameter_groups


def _rates(tiny_base: Path, **changes) -> dict[str, tuple[float, float]]:
    recipe = tiny_recipe(tiny_base, **changes)
    network = MessageClassifier(recipe.base_model, 8, recipe.pooling, recipe.dropout)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    found = [
        (names[id(one)], group["lr"], group["weight_decay"])
        for group in parameter_groups(network, recipe)
        for one in group["params"]
    ]
    assert sorted(name for name, _, _ in found) == sorted(names.values()), "each parameter stands in one group"
    return {name: (rate, decay) for name, rate, decay in found}


def test_rates_fall_from_the_head_to_the_embeddings(tiny_base: Path):
    rates = _rates(tiny_base, layer_decay=0.5, learning_rate=8e-5, head_learning_rate=1e-3)
    assert rates["label_head.weight"][0] == rates["doubt_head.bias"][0] == 1e-3
    assert rates["encoder.encoder.layer.1.output.dense.weight"][0] == pytest.approx(8e-5)
    assert rates["encoder.encoder.layer.0.output.dense.weight"][0] == pytest.approx(4e-5)
    assert rates["encoder.embeddings.word_embeddings.weight"][0] == pytest.approx(2e-5)


def test_biases_and_norms_do_not_decay(tiny_base: Path):
    decays = {name: decay for name, (_, decay) in _rates(tiny_base, weight_decay=0.01).items()}
    assert decays["label_head.bias"] == decays["encoder.embeddings.LayerNorm.weight"] == 0
    assert decays["label_head.weight"] == 0.01


def test_attention_pooling_learns_at_the_heads_rate(tiny_base: Path):
    assert _rates(tiny_base, pooling="attention")["attention.weight"][0] == 1e-2


def test_no_parameter_is_left_without_a_gradient(tiny_base: Path):
    assert not [name for name in _rates(tiny_base) if "pooler" in name]
