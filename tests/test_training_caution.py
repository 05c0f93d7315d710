"""As far as seed messages calibrate, the model is made less sure by the recipe's caution; a company's own are believed."""

import dataclasses

import numpy as np
import pytest

from configs.recipe import load_recipe
from configs.taxonomy import load_taxonomy
from data.corpus import SEED_SOURCE
from tests.tiny_base import tiny_rows
from training.answers import Answers, Taught, calibrate_on
from training.scores import scores_of


def _answers(own: int) -> Answers:
    """Answers on 160 rows, of which the first `own` are a company's and the others the seed's."""
    taxonomy = load_taxonomy()
    rows = [
        dataclasses.replace(
            row, message=dataclasses.replace(row.message, source="customer" if number < own else SEED_SOURCE)
        )
        for number, row in enumerate(row for row in tiny_rows(20, seed=1) if row.label in taxonomy.labels)
    ]
    true = np.array([taxonomy.labels.index(row.label) for row in rows])
    logits = np.random.default_rng(0).normal(size=(len(rows), len(taxonomy.labels)))
    logits[np.arange(len(rows)), true] += 2.0
    return Answers(rows, logits, np.zeros(len(rows)))


@pytest.mark.parametrize(("own", "factor"), [(0, 1.5), (1, 1.5 ** (159 / 160)), (40, 1.5**0.75), (160, 1.0)])
def test_caution_raises_the_temperature_by_the_share_of_seed_messages_that_calibrate(own: int, factor: float):
    taxonomy, seen = load_taxonomy(), np.full(8, 100.0)
    plain, _ = calibrate_on(_answers(own), seen, load_recipe("full", ("caution=1.0",)), taxonomy)
    cautious, _ = calibrate_on(_answers(own), seen, load_recipe("full", ("caution=1.5",)), taxonomy)
    assert cautious.temperature == pytest.approx(factor * plain.temperature)


@pytest.mark.parametrize(("own", "share"), [(0, 1.0), (40, 0.75), (160, 0.0)])
def test_a_teachers_answers_on_the_stream_take_the_place_of_caution(own: int, share: float):
    taxonomy, seen, rng = load_taxonomy(), np.full(8, 100.0), np.random.default_rng(1)
    recipe = load_recipe("full", ("caution=1.0",))
    plain, _ = calibrate_on(_answers(own), seen, recipe, taxonomy)
    logits = rng.normal(size=(500, 8), scale=3.0)
    targets = scores_of(logits, plain.model_copy(update={"temperature": 2.5})) * rng.uniform(size=(500, 1))
    found, _ = calibrate_on(
        _answers(own), seen, load_recipe("full", ("caution=1.5",)), taxonomy, Taught(logits, targets)
    )
    assert found.temperature == pytest.approx(2.5**share * plain.temperature ** (1 - share), rel=1e-3)
    assert found.bias == plain.bias
