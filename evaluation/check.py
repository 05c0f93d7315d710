"""One check of the gate: a figure against its floor and against the champion's."""

from dataclasses import dataclass
from math import isnan
from typing import Literal

from evaluation.intervals import Difference

State = Literal["pass", "fail", "insufficient_evidence"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure's floor (a limit where less is better) and how far it may fall against the champion."""

    name: str
    floor: float
    drop: float
    less_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A figure of both models with what was made of it; `champion` is not a number where there is none."""

    name: str
    part: str
    challenger: float
    champion: float
    low: float
    high: float
    support: int
    state: State
    says: str
    decides: bool = True


def judge_figure(bound: Bound, found: Difference, part: str, decides: bool, min_rows: int) -> Check:
    """Return the check of one figure."""
    state, why = _judge(bound, found, min_rows)
    says = f"{bound.name} ({part}): {why}"
    return Check(
        bound.name, part, found.after, found.before, found.low, found.high, found.support, state, says, decides
    )


def _judge(bound: Bound, found: Difference, min_rows: int) -> tuple[State, str]:
    if found.support < min_rows or isnan(found.after):
        return "insufficient_evidence", f"insufficient_evidence, {found.support} rows, {min_rows} are needed"
    sign = -1.0 if bound.less_is_better else 1.0
    alone = isnan(found.before)
    fall = 0.0 if alone else sign * (found.before - found.after)
    surely = not alone and (found.low > 0 if bound.less_is_better else found.high < 0)
    if fall > bound.drop and surely:
        return "fail", (f"{found.before:.3f} before, {found.after:.3f} now, worse beyond chance; "
                        f"at most {bound.drop:.3f} is allowed")  # fmt: skip
    if sign * (found.after - bound.floor) < 0 and (alone or fall > 0):
        kind = "limit" if bound.less_is_better else "floor"
        return "fail", f"{found.after:.3f}, the {kind} is {bound.floor:.3f}"
    return "pass", f"{found.after:.3f}" if alone else f"{found.before:.3f} before, {found.after:.3f} now"
