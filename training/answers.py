"""A network's raw answers on labelled rows it did not see, and the calibration fitted to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from configs.playbook import load_playbook
from configs.recipe import Recipe
from configs.taxonomy import NONE, Taxonomy
from data.corpus import SEED_SOURCE
from data.messages import LabelledMessage
from training.bundle import Calibration, Thresholds
from training.calibration import cost_thresholds, fit_doubt, fit_temperature, fit_temperature_to, mix_of, prior_bias
from training.scores import scores_of

OUT_OF_SCOPE_DOUBT = 0.5
_NO_DOUBT = (1.0, -3.0)  # scale and shift where no row belongs nowhere: a doubt of 5% at a logit of 0


@dataclass(frozen=True, slots=True)
class Answers:
    """Label logits (N, L) and doubt logits (N,) on rows that were not learnt from."""

    rows: Sequence[LabelledMessage]
    logits: np.ndarray
    doubt: np.ndarray


@dataclass(frozen=True, slots=True)
class Taught:
    """Label logits (N, L) on messages of a stream that were not learnt, and a teacher's scores (N, L) of them."""

    logits: np.ndarray
    targets: np.ndarray


def calibrate_on(
    answers: Answers, seen: np.ndarray, recipe: Recipe, taxonomy: Taxonomy, stream: Taught | None = None
) -> tuple[Calibration, Thresholds]:
    """Return calibration and thresholds, weighted to the deployed class mix; `seen` (L,) is the mix learnt from.

    Held-out seed messages are more like the fitted ones than a stream is: the temperature is raised by `recipe.caution`
    to the power of their share of the rows. A company's first few among thousands of the seed's change little. Where a
    teacher has answered messages of the stream itself, the temperature that fits its answers takes that share instead.
    """
    labels = taxonomy.labels
    inside = np.array([row.label != NONE for row in answers.rows])
    true = np.array([labels.index(row.label) for row in answers.rows if row.label != NONE])
    deployed = mix_of(recipe.deployed_mix, labels) if recipe.deployed_mix else seen / seen.sum()
    power = {"none": 0.0, "sqrt": 0.5, "inverse": 1.0}[recipe.class_weights]
    bias = prior_bias(np.maximum(seen, 1.0) ** (1 - power), deployed)  # class weights change the mix that was seen
    held = np.bincount(true, minlength=len(labels)) / len(true)
    temperature = fit_temperature(answers.logits[inside], true, deployed[true] / held[true])
    of_seed = sum(row.message.source == SEED_SOURCE for row in answers.rows) / len(answers.rows)
    if stream is None:
        temperature *= recipe.caution**of_seed
    else:
        of_stream = fit_temperature_to(stream.logits, stream.targets, bias)
        temperature = temperature ** (1 - of_seed) * of_stream**of_seed
    doubting = (~inside).any()
    scale, shift = fit_doubt(answers.doubt, ~inside, recipe.deployed_outside) if doubting else _NO_DOUBT
    calibration = Calibration(temperature=temperature, bias=tuple(bias), doubt_scale=scale, doubt_shift=shift)
    scores = scores_of(answers.logits[inside], calibration)
    return calibration, cost_thresholds(scores, true, labels, load_playbook(), OUT_OF_SCOPE_DOUBT)
