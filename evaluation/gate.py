"""The gate: whether a challenger may become champion, and every check with both figures.

Both models are scored on the same rows, so a fall counts only where it is beyond chance: noise alone refuses nobody,
and too few rows are never a pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from configs.gate import Gate
from data.corpus import SEED_SOURCE
from evaluation.behaviour_check import behaviour_checks
from evaluation.candidate import Candidate
from evaluation.check import Bound, Check, judge_figure
from evaluation.intervals import TAIL, Difference, differences, intervals
from evaluation.score import Scored

Part = Literal["seed", "customer"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every check; those of the part that decides must all pass."""

    checks: tuple[Check, ...]
    decided_by: str

    @property
    def passed(self) -> bool:
        """Whether every check that decides passes."""
        return bool(self.checks) and not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each reason against, naming figure, value and bound."""
        return tuple(check.says for check in self.checks if check.decides and check.state != "pass")

    def as_json(self) -> dict[str, object]:
        """Return every check with both figures, what is not a number as null."""
        checks = [{name: _plain(value) for name, value in asdict(check).items()} for check in self.checks]
        return {"passed": self.passed, "decided_by": self.decided_by, "reasons": list(self.reasons), "checks": checks}


def check_gate(
    challenger: Candidate, champion: Candidate | None, gate: Gate, drawn: np.ndarray | None = None
) -> Verdict:
    """Return the verdict; `drawn` (N,) tells the customer rows that were drawn at random, none of them by default."""
    seed = np.array([row.message.source == SEED_SOURCE for row in challenger.scored.rows], dtype=bool)
    parts: dict[Part, np.ndarray] = {"seed": seed, "customer": ~seed}
    decides = _deciding(seed, ~seed if drawn is None else drawn & ~seed, drawn is not None, gate)
    if decides == "customer" and drawn is not None and (drawn & ~seed).sum() >= gate.min_customer_rows:
        parts["customer"] = drawn & ~seed
    checks: list[Check] = []
    for part, rows in parts.items():
        if rows.any():
            checks += _figure_checks(challenger.scored, champion, np.flatnonzero(rows), gate, part, part == decides)
    before = champion.behaviour if champion else ()
    checks += behaviour_checks(challenger.behaviour, before, gate)
    return Verdict(tuple(checks), decides)


def bounds(gate: Gate, labels: Sequence[str]) -> Iterator[Bound]:
    """Yield what is checked, in the order it is read."""
    yield Bound("macro_f1", gate.min_macro_f1, gate.max_macro_f1_drop)
    for label in labels:
        yield Bound(f"f1_{label}", gate.min_label_f1, gate.max_label_f1_drop)
    yield Bound("recall_fraud", gate.min_fraud_recall, gate.max_safety_drop)
    yield Bound("spam_sink", gate.max_spam_sink, gate.max_safety_drop, less_is_better=True)
    yield Bound("fraud_sunk", gate.max_fraud_sunk, gate.max_safety_drop, less_is_better=True)
    yield Bound("calibration_error", gate.max_calibration_error, gate.max_safety_drop, less_is_better=True)


def _deciding(seed: np.ndarray, customer: np.ndarray, known: bool, gate: Gate) -> Part:
    """Return which rows decide: the customer's where enough were drawn at random, or where there are no others."""
    enough = known and customer.sum() >= gate.min_customer_rows
    return "customer" if enough or not seed.any() else "seed"


def _figure_checks(
    scored: Scored, champion: Candidate | None, rows: np.ndarray, gate: Gate, part: Part, decides: bool
) -> Iterator[Check]:
    after = scored.answers().at(rows)
    if champion:
        # Many labels, many chances to fall by chance: together they refuse an equal model no oftener than one would.
        tails = {f"f1_{label}": TAIL / len(scored.labels) for label in scored.labels}
        found = differences(champion.scored.answers().at(rows), after, scored.labels, tails=tails)
    else:
        alone = intervals(after, scored.labels)
        found = {name: Difference(float("nan"), one.value, float("nan"), float("nan"), one.support)
                 for name, one in alone.items()}  # fmt: skip
    for bound in bounds(gate, scored.labels):
        yield judge_figure(bound, found[bound.name], part, decides, gate.min_rows)


def _plain(value: object) -> object:
    return None if isinstance(value, float) and value != value else value
