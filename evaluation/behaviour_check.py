"""The gate's checks of behaviour: failure rates against their limits and against the champion on the same cases."""

from collections.abc import Iterator, Sequence

from scipy.stats import binomtest

from configs.gate import Gate
from evaluation.behaviour.run import RULES, Failure, Outcome, failure_rates
from evaluation.check import Check, State

CERTAINTY = 0.025  # one-sided


def behaviour_checks(now: Sequence[Outcome], before: Sequence[Outcome], gate: Gate) -> Iterator[Check]:
    """Yield a check for each suite that the gate names, the codebook's rules counted together."""
    rates, old = failure_rates(now), failure_rates(before)
    for name, limit in gate.max_failure_rates.items():
        rate, checks = rates.get(name, (float("nan"), 0))
        champion = old.get(name, (float("nan"), 0))[0]
        broken, mended = _changed(_failures(before, name), _failures(now, name)) if before else (0, 0)
        state, why = _judge(rate, champion, limit, checks, broken, mended, gate)
        says = f"behaviour {name}: {why}"
        yield Check(f"behaviour_{name}", "behaviour", rate, champion, float("nan"), float("nan"), checks, state, says)


def _judge(
    rate: float, champion: float, limit: float, checks: int, broken: int, mended: int, gate: Gate
) -> tuple[State, str]:
    if checks < gate.min_rows:
        return "insufficient_evidence", f"insufficient_evidence, {checks} checks, {gate.min_rows} are needed"
    if broken > mended and _beyond_chance(broken, mended) and rate - champion > gate.max_safety_drop:
        return "fail", f"{champion:.0%} failed before, {rate:.0%} now ({broken} broken, {mended} mended), beyond chance"
    if rate > limit and not rate <= champion:
        return "fail", f"{rate:.0%} of {checks} fail, the limit is {limit:.0%}"
    return "pass", f"{rate:.0%} of {checks} fail"


def _beyond_chance(broken: int, mended: int) -> bool:
    return bool(binomtest(broken, broken + mended, 0.5, alternative="greater").pvalue < CERTAINTY)


def _changed(before: set[tuple[str, str]], now: set[tuple[str, str]]) -> tuple[int, int]:
    return len(now - before), len(before - now)


def _failures(outcomes: Sequence[Outcome], name: str) -> set[tuple[str, str]]:
    wanted = [one for one in outcomes if one.name == name or (name == RULES and one.kind == "minimum")]
    return {_key(failure) for one in wanted for failure in one.failures}


def _key(failure: Failure) -> tuple[str, str]:
    return failure.plain, failure.text
