"""Which precision a bundle gets: int8 where it is faster on this machine and the rows asked lose nothing by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

import numpy as np
from sklearn.metrics import f1_score

from configs.taxonomy import NONE, Taxonomy
from data.messages import LabelledMessage
from training.bundle import Calibration, PrecisionCheck
from training.predictor import Network, padded_batches
from training.quantise import quantise
from training.scores import scores_of

LEAST_SPEEDUP = 1.2
MOST_CHANGED, MOST_LOST = 0.05, 0.005  # of the labels of the rows asked, and of their macro-F1
CHECKED = 2000  # rows asked: those held out, and of those learnt what lacks; by a hundred, a label or two would decide
CALIBRATING = 400  # rows that show what a network's inputs are like
TIMED, ROUNDS = 32, 5

Tokens = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Exported:
    """The network to ship, its precision, what was measured for it, and its logits on the rows asked."""

    path: Path
    precision: Literal["fp32", "int8"]
    check: PrecisionCheck | None
    logits: np.ndarray
    doubt: np.ndarray


def choose_precision(
    wanted: str, fp32: Path, seen: Tokens, held: Tokens, rows: Sequence[LabelledMessage], taxonomy: Taxonomy,
    kept: Path | None = None,
) -> Exported:  # fmt: skip
    """Return the network at `fp32`, or an int8 one beside it with ranges taken from tokens of `seen`.

    `wanted` is `fp32`, `int8` or `auto`: int8 if it is faster and `rows`, whose tokens are `held`, keep their labels. What was measured
    is written to `kept`; what stands there already is believed, so that a resumed run ships the same precision.
    """
    exact = Network(fp32)
    plain = Exported(fp32, "fp32", None, *exact.logits(held))
    if wanted == "fp32":
        return plain
    path = fp32.with_name("int8.onnx")
    quantise(fp32, path, ((ids, mask) for _, ids, mask in padded_batches(seen)))
    coarse = Network(path)
    logits, doubt = coarse.logits(held)
    if kept and kept.exists():
        check = PrecisionCheck.model_validate_json(kept.read_bytes())
    else:
        check = _compare(plain.logits, logits, rows, taxonomy, _speedup(exact, coarse, held[:TIMED]))
        _keep(check, kept)
    int8 = Exported(path, "int8", check, logits, doubt)
    return int8 if wanted == "int8" or _pays(check) else Exported(fp32, "fp32", check, plain.logits, plain.doubt)


def _keep(check: PrecisionCheck, path: Path | None) -> None:
    if path:
        waiting = path.with_suffix(".tmp")
        waiting.write_text(check.model_dump_json(), encoding="utf-8")
        waiting.replace(path)


def _pays(check: PrecisionCheck) -> bool:
    cheap = check.changed <= MOST_CHANGED and check.macro_f1_change >= -MOST_LOST
    return cheap and check.speedup >= LEAST_SPEEDUP


def _speedup(exact: Network, coarse: Network, tokens: Tokens) -> float:
    """Return how many times as fast the second is, by the quickest of rounds in turn: others' work slows some."""
    seconds = np.array([[_seconds(network, tokens) for network in (exact, coarse)] for _ in range(ROUNDS)])
    fp32, int8 = seconds.min(axis=0)
    return round(float(fp32 / int8), 2)


def _seconds(network: Network, tokens: Tokens) -> float:
    began = perf_counter()
    network.logits(tokens)
    return perf_counter() - began


def _compare(
    exact: np.ndarray, coarse: np.ndarray, rows: Sequence[LabelledMessage], taxonomy: Taxonomy, speedup: float
) -> PrecisionCheck:
    inside = np.array([row.label != NONE for row in rows])
    true = [row.label for row in rows if row.label != NONE]
    called = [np.array(taxonomy.labels)[logits.argmax(axis=1)] for logits in (exact, coarse)]
    f1 = [f1_score(true, labels[inside], average="macro") for labels in called]
    before, after = (scores_of(logits, Calibration()) for logits in (exact, coarse))
    return PrecisionCheck(
        rows=len(rows), speedup=speedup, changed=round(float((called[0] != called[1]).mean()), 4),
        largest_change=round(float(np.abs(before - after).max()), 4),
        macro_f1_change=round(float(f1[1] - f1[0]), 4),
    )  # fmt: skip
