"""One batch: the configured mix of strategies, who sees it blind, and why each message is in it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from configs.labeling import Labeling
from labeling.select import (
    Candidates,
    by_coverage,
    by_disagreement,
    by_rarity,
    by_uncertainty,
    draw,
    draw_share,
    spread,
    take,
)

MEASURING = ("random", "audit")  # drawn with a known probability and always blind: what accuracy is estimated from
_POOL = 10  # uncertain rows are spread over groups among this many times as many as are wanted


@dataclass(frozen=True, slots=True)
class Choice:
    """A row of the candidates, why it was chosen, and whether the labeler sees the prediction."""

    row: int
    strategy: str
    reason: str
    stratum: str
    blind: bool
    probability: float | None = None


def choose(candidates: Candidates, count: int, labeling: Labeling, seed: int) -> list[Choice]:
    """Return up to `count` choices; what a strategy cannot fill goes to the coverage."""
    rng = np.random.default_rng(seed)
    wanted = share_out(count, labeling.mix.shares())
    chosen = _draw_measuring(candidates, wanted, rng)
    informed = _pick_informed(
        candidates, wanted, count - len(chosen), [choice.row for choice in chosen], labeling, seed
    )
    blind = draw_share([choice.stratum for choice in informed], labeling.blind_share, rng)
    return chosen + [_with_blind(choice, bool(hidden)) for choice, hidden in zip(informed, blind, strict=True)]


def share_out(count: int, shares: dict[str, float]) -> dict[str, int]:
    """Return whole numbers in proportion to the shares that add up to `count` (largest remainders first)."""
    total = sum(shares.values())
    exact = {name: count * share / total for name, share in shares.items()}
    whole = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: whole[name] - exact[name])[: count - sum(whole.values())]:
        whole[name] += 1
    return whole


def _draw_measuring(candidates: Candidates, wanted: dict[str, int], rng: np.random.Generator) -> list[Choice]:
    """Draw from everything, labelled or not: leaving out what others chose would bend the estimate."""
    rows, probability = draw(~candidates.drawn, wanted["random"], rng)
    chosen = [
        Choice(row, "random", "drawn evenly from every decision", _label(candidates, row), True, probability)
        for row in rows
    ]
    spam = candidates.automatic & (candidates.predicted == _position(candidates, "spam"))
    silent = {"spam": spam & ~candidates.no_reply, "no_reply": candidates.no_reply}
    free = candidates.fresh.copy()
    free[rows] = False
    filled = {name: mask & free for name, mask in silent.items() if (mask & free).any()}
    for name, part in share_out(wanted["audit"], dict.fromkeys(filled, 1.0)).items() if filled else ():
        rows, probability = draw(filled[name], part, rng)
        reason = f"{name}: closed without a person"
        chosen += [Choice(row, "audit", reason, name, True, probability) for row in rows]
    return chosen


def _pick_informed(
    candidates: Candidates, wanted: dict[str, int], room: int, taken: list[int], labeling: Labeling, seed: int
) -> list[Choice]:
    chosen: list[Choice] = []
    last = next((name for name in ("coverage", "uncertain", "rare", "disagreement") if wanted[name]), "")
    orders: dict[str, Callable[[], np.ndarray]] = {
        "disagreement": lambda: by_disagreement(candidates, candidates.pooled),
        "rare": lambda: by_rarity(candidates, candidates.pooled),
        "uncertain": lambda: _spread_uncertain(candidates, room, labeling, seed),
        "coverage": lambda: by_coverage(candidates, candidates.pooled, room, seed),
    }
    for strategy, order in orders.items():
        rest = room - len(chosen)
        part = rest if strategy == last else min(wanted[strategy], rest)
        if not part:
            continue
        rows = take(order(), part, candidates.embeddings, taken, labeling.near_duplicate)
        taken = taken + rows
        chosen += [
            Choice(row, strategy, _why(candidates, strategy, row), _stratum(candidates, strategy, row), False)
            for row in rows
        ]
    return chosen


def _spread_uncertain(candidates: Candidates, room: int, labeling: Labeling, seed: int) -> np.ndarray:
    order = by_uncertainty(candidates, candidates.pooled)
    near = spread(order[: room * _POOL], candidates.embeddings, labeling.clusters, seed)
    return np.concatenate([near, order[room * _POOL :]])


def _why(candidates: Candidates, strategy: str, row: int) -> str:
    scores = candidates.scores[row]
    best, second = np.argsort(-scores)[:2]
    if strategy == "uncertain":
        return f"{candidates.labels[best]} {scores[best]:.2f} or {candidates.labels[second]} {scores[second]:.2f}"
    if strategy == "coverage":
        return "typical of messages that nothing chosen yet is like"
    if strategy == "disagreement":
        other = int(candidates.other_scores[row].argmax())
        return f"{candidates.labels[best]}, but {candidates.labels[other]} says the other model"
    return f"{candidates.labels[best]} has {int(candidates.label_counts[best])} labels"


def _stratum(candidates: Candidates, strategy: str, row: int) -> str:
    return f"{strategy}/{_label(candidates, row)}"


def _label(candidates: Candidates, row: int) -> str:
    return candidates.labels[int(candidates.predicted[row])]


def _position(candidates: Candidates, label: str) -> int:
    return list(candidates.labels).index(label) if label in candidates.labels else -1


def _with_blind(choice: Choice, blind: bool) -> Choice:
    return Choice(choice.row, choice.strategy, choice.reason, choice.stratum, blind, choice.probability)
