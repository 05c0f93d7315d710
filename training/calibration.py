"""Honest confidence: fitting temperature, class priors and doubt on messages the model did not see.

Arrays in, `Calibration` and thresholds out; knows nothing of models or files.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import minimize

from configs.playbook import Playbook
from training.bundle import Thresholds

PRIOR_SPREAD = 0.15  # of the logarithm of a temperature (docs/decisions/0002)


def fit_temperature(
    logits: np.ndarray, true: np.ndarray, weights: np.ndarray | None = None, prior: float | None = None
) -> float:
    """Return the temperature of least negative log-likelihood (Guo et al. 2017); logits (N, L), true ids (N,).

    With a `prior` it is the likeliest one after these rows, where its logarithm was normal around the prior's with a
    standard deviation of PRIOR_SPREAD: few rows move it little.
    """
    targets = np.zeros_like(logits, dtype=float)
    targets[np.arange(len(true)), true] = 1.0 if weights is None else weights
    return _least_loss(logits, targets, np.zeros(logits.shape[1]), prior)


def fit_temperature_to(logits: np.ndarray, targets: np.ndarray, bias: np.ndarray) -> float:
    """Return the temperature of least cross-entropy to a teacher's scores `targets` (N, L), each row counting by its sum.

    `bias` (L,) is what is added to log-scores; logits (N, L) are of messages that were not learnt.
    """
    return _least_loss(logits, targets, bias, None)


def _least_loss(logits: np.ndarray, targets: np.ndarray, bias: np.ndarray, prior: float | None) -> float:
    at_prior = 0.0 if prior is None else np.log(prior)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature) + bias
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        log_scores = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        away = 0.0 if prior is None else ((log_temperature - at_prior) / PRIOR_SPREAD) ** 2 / (2 * len(logits))
        return float(-(targets * log_scores).sum() / targets.sum() + away)

    return float(np.exp(minimize(lambda at: loss(at[0]), np.zeros(1), method="Nelder-Mead").x[0]))


def prior_bias(trained: np.ndarray, deployed: np.ndarray) -> np.ndarray:
    """Return what to add to log-scores so that a model trained on one class mix (L,) serves another (Saerens 2002)."""
    bias = np.log(deployed / deployed.sum()) - np.log(trained / trained.sum())
    return bias - bias.mean()


def fit_doubt(doubt_logits: np.ndarray, outside: np.ndarray, share: float) -> tuple[float, float]:
    """Return scale and shift of Platt's sigmoid (1999) for doubt logits (N,) and whether each belongs nowhere (N,).

    `share` is the part of the deployed stream that belongs nowhere; the sample is weighted to it. The targets are Platt's
    smoothed ones, so that a few rows that happen to lie apart do not make a step of it.
    """
    targets = np.where(outside, (outside.sum() + 1) / (outside.sum() + 2), 1 / ((~outside).sum() + 2))
    weights = np.where(outside, share / max(outside.mean(), 1e-9), (1 - share) / max(1 - outside.mean(), 1e-9))

    def loss(parameters: np.ndarray) -> float:
        z = np.exp(parameters[0]) * doubt_logits + parameters[1]
        return float((weights * (np.logaddexp(0, z) - targets * z)).mean())

    found = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(found[0])), float(found[1])


def cost_thresholds(
    scores: np.ndarray, true: np.ndarray, labels: Sequence[str], playbook: Playbook, out_of_scope: float
) -> Thresholds:
    """Return the score a label from which acting alone costs less than asking, by the playbook's costs.

    Acting on label l with score s costs, when wrong, the misrouting into l plus the mean cost of having missed the
    true label; so it pays from s >= 1 - review_cost / cost_when_wrong. The expected missed cost is taken over the
    messages (N,) that the model called l and got wrong, with the label's mean over all others as a prior of 5.
    """
    called = scores.argmax(axis=1)
    missed = np.array([playbook.costs[label].missed for label in labels])
    auto: dict[str, float] = {}
    for position, label in enumerate(labels):
        wrong = missed[true[(called == position) & (true != position)]]
        others = np.delete(missed, position).mean()
        cost = playbook.costs[label].misrouted + (wrong.sum() + 5 * others) / (len(wrong) + 5)
        auto[label] = round(float(np.clip(1 - playbook.review_cost / cost, 0.5, 0.99)), 4)
    return Thresholds(auto=auto, out_of_scope=out_of_scope, playbook_version=playbook.version)


def mix_of(shares: Mapping[str, float], labels: Sequence[str]) -> np.ndarray:
    """Return a class mix (L,) in class-id order, summing to 1."""
    values = np.array([shares[label] for label in labels], dtype=float)
    return values / values.sum()
