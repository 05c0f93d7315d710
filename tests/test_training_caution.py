"""What temperature to expect comes of seed messages, raised by caution, or of a teacher; a company's own rows correct it."""

import dataclasses

import numpy as np
import pytest

from configs.recipe import load_recipe
from configs.taxonomy import NONE, load_taxonomy
from data.corpus import SEED_SOURCE
from tests.tiny_base import tiny_rows
from training.answers import Answers, Taught, calibrate_on
from training.scores import doubt_of, scores_of

SEEN = np.full(8, 100.0)


def _answers(own: int, of_seed: int = 160, sure: float = 1.0) -> Answers:
    """Answers on `own` rows of a company, `sure` times as sure as those on the seed's, which come after them."""
    taxonomy = load_taxonomy()
    every = [row for row in tiny_rows(40, seed=1) if row.label in taxonomy.labels]
    rows = [
        dataclasses.replace(row, message=dataclasses.replace(row.message, source=source))
        for part, source in ((every[:own], "customer"), (every[160 : 160 + of_seed], SEED_SOURCE))
        for row in part
    ]
    true = np.array([taxonomy.labels.index(row.label) for row in rows])
    logits = np.random.default_rng(0).normal(size=(len(rows), len(taxonomy.labels)))
    logits[np.arange(len(rows)), true] += 2.0
    logits[:own] *= sure
    return Answers(rows, logits, np.zeros(len(rows)))


def _temperature(
    answers: Answers, caution: float = 1.0, stream: Taught | None = None, beside: Answers | None = None
) -> float:
    recipe = load_recipe("full", (f"caution={caution}",))
    return calibrate_on(answers, SEEN, recipe, load_taxonomy(), stream, beside)[0].temperature


def test_caution_raises_the_temperature_of_seed_messages_and_not_of_a_companys_alone():
    assert _temperature(_answers(0), 1.5) == pytest.approx(1.5 * _temperature(_answers(0)))
    assert _temperature(_answers(160, 0), 1.5) == _temperature(_answers(160, 0))


def test_a_companys_rows_correct_what_is_expected_the_more_the_more_they_are():
    expected, alone = _temperature(_answers(0), 1.5), _temperature(_answers(160, 0, sure=4.0))
    found = [_temperature(_answers(own, sure=4.0), 1.5) for own in (8, 40, 160)]
    assert expected < found[0] < found[1] < found[2] < alone
    assert abs(np.log(found[0] / expected)) < 0.5 * abs(np.log(found[2] / expected))


def test_rows_beside_move_the_temperature_as_held_out_ones_do_and_not_the_mix():
    both, own, seed = _answers(80), _answers(80, 0), _answers(0)
    cut = Answers(both.rows[80:], both.logits[80:], both.doubt[80:])
    first = Answers(both.rows[:80], both.logits[:80], both.doubt[:80])
    assert _temperature(first, 1.5, beside=cut) == pytest.approx(_temperature(both, 1.5))
    assert _temperature(own, 1.5, beside=seed) > _temperature(own)
    recipe, taxonomy = load_recipe("full"), load_taxonomy()
    (plain, _), (found, _) = (calibrate_on(own, SEEN, recipe, taxonomy, beside=more) for more in (None, seed))
    assert plain.model_copy(update={"temperature": found.temperature}) == found


def test_doubt_is_learnt_of_rows_beside_too():
    rng, recipe, taxonomy = np.random.default_rng(3), load_recipe("full"), load_taxonomy()
    own, seed = _answers(80, 0), _answers(0)
    rows = [dataclasses.replace(row, label=NONE) if number < 40 else row for number, row in enumerate(seed.rows)]
    doubt = np.where([row.label == NONE for row in rows], 3.0, -3.0) + rng.normal(scale=2.0, size=len(rows))
    alone, _ = calibrate_on(own, SEEN, recipe, taxonomy)
    found, _ = calibrate_on(own, SEEN, recipe, taxonomy, beside=Answers(rows, seed.logits, doubt))
    high, low = doubt_of(np.array([3.0, -3.0]), found)
    assert high > 0.8 and low < 0.1 and doubt_of(np.array([3.0]), alone)[0] < 0.6


@pytest.mark.parametrize("of_seed", [160, 0])
def test_a_teachers_answers_on_the_stream_take_the_place_of_caution(of_seed: int):
    logits = np.random.default_rng(1).normal(size=(500, 8), scale=3.0)
    plain, _ = calibrate_on(_answers(0), SEEN, load_recipe("full"), load_taxonomy())
    targets = scores_of(logits, plain.model_copy(update={"temperature": 2.5}))
    stream = Taught(logits, targets * np.random.default_rng(2).uniform(size=(500, 1)))
    if of_seed:
        assert _temperature(_answers(0), 1.5, stream) == pytest.approx(2.5, rel=1e-3)
    found = _temperature(_answers(40, of_seed), 1.5, stream)
    assert _temperature(_answers(40, 0)) < found < 2.5
