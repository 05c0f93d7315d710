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
    answers: Answers, seen: np.ndarray, recipe: Recipe, taxonomy: Taxonomy, stream: Taught | None = None,
    beside: Answers | None = None,
) -> tuple[Calibration, Thresholds]:  # fmt: skip
    """Return calibration and thresholds, weighted to the deployed class mix; `seen` (L,) is the mix learnt from.

    Of the seed's rows comes what to expect of the temperature: held-out seed messages are more like the fitted ones than a
    stream is, so theirs is raised by `recipe.caution`; where a teacher has answered messages of the stream itself, the one
    that fits its answers is expected. A company's own rows correct it, the more the more they are. `beside` are further
    rows for temperature and doubt.
    """
    labels = taxonomy.labels
    inside = np.array([row.label != NONE for row in answers.rows])
    true = np.array([labels.index(row.label) for row in answers.rows if row.label != NONE])
    deployed = mix_of(recipe.deployed_mix, labels) if recipe.deployed_mix else seen / seen.sum()
    power = {"none": 0.0, "sqrt": 0.5, "inverse": 1.0}[recipe.class_weights]
    bias = prior_bias(np.maximum(seen, 1.0) ** (1 - power), deployed)  # class weights change the mix that was seen
    rows = [*answers.rows, *(beside.rows if beside else ())]
    logits = np.concatenate([answers.logits, beside.logits]) if beside else answers.logits
    of_seed = np.array([row.message.source == SEED_SOURCE for row in rows])
    expected = None
    if stream is not None:
        expected = fit_temperature_to(stream.logits, stream.targets, bias)
    elif of_seed.any():
        expected = recipe.caution * _temperature(rows, logits, of_seed, deployed, labels)
    temperature = _temperature(rows, logits, ~of_seed, deployed, labels, expected)
    outside = np.array([row.label == NONE for row in rows])
    doubt = np.concatenate([answers.doubt, beside.doubt]) if beside else answers.doubt
    scale, shift = fit_doubt(doubt, outside, recipe.deployed_outside) if outside.any() else _NO_DOUBT
    calibration = Calibration(temperature=temperature, bias=tuple(bias), doubt_scale=scale, doubt_shift=shift)
    scores = scores_of(answers.logits[inside], calibration)
    return calibration, cost_thresholds(scores, true, labels, load_playbook(), OUT_OF_SCOPE_DOUBT)


def _temperature(
    rows: Sequence[LabelledMessage], logits: np.ndarray, chosen: np.ndarray, deployed: np.ndarray, labels: Sequence[str],
    expected: float | None = None,
) -> float:  # fmt: skip
    """Return the temperature of the chosen rows with a label; without any, the one that is expected."""
    usable = chosen & np.array([row.label != NONE for row in rows])
    if not usable.any():
        return 1.0 if expected is None else expected
    true = np.array([labels.index(row.label) for row, use in zip(rows, usable, strict=True) if use])
    held = np.bincount(true, minlength=len(labels)) / len(true)
    return fit_temperature(logits[usable], true, deployed[true] / held[true], expected)
