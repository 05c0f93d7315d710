"""The gate: whether a challenger may become champion, and every reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass

from configs.gate import Gate


@dataclass(frozen=True, slots=True)
class Verdict:
    """Passed, or every reason against it, each naming figure, value and bound."""

    passed: bool
    reasons: tuple[str, ...]


def check_gate(challenger: Mapping[str, float], champion: Mapping[str, float] | None, gate: Gate) -> Verdict:
    """Return the verdict on figures measured on the same rows; without a champion only the floors count."""
    reasons = []
    if challenger["macro_f1"] < gate.min_macro_f1:
        reasons.append(f"macro_f1 is {challenger['macro_f1']:.3f}, the floor is {gate.min_macro_f1:.3f}")
    for name, bound in (
        ("spam_sink", gate.max_spam_sink),
        ("fraud_sunk", gate.max_fraud_sunk),
        ("calibration_error", gate.max_calibration_error),
    ):
        if challenger[name] > bound:
            reasons.append(f"{name} is {challenger[name]:.3f}, the limit is {bound:.3f}")
    reasons += _falls(challenger, champion, gate) if champion else []
    return Verdict(not reasons, tuple(reasons))


def _falls(challenger: Mapping[str, float], champion: Mapping[str, float], gate: Gate) -> list[str]:
    reasons = []
    for name, before in champion.items():
        bound = gate.max_macro_f1_drop if name == "macro_f1" else gate.max_label_f1_drop
        if (name == "macro_f1" or name.startswith("f1_")) and challenger[name] < before - bound:
            reasons.append(f"{name} falls from {before:.3f} to {challenger[name]:.3f}, at most {bound:.3f} is allowed")
    return reasons
