"""A bundle judged beside the champion on the same rows; a champion that cannot be read is never a pass."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SwitchboardError
from configs.gate import Gate
from configs.paths import published_dir
from data.messages import LabelledMessage
from evaluation.candidate import Candidate, examine
from evaluation.check import Check
from evaluation.gate import Verdict, check_gate
from flows.locate import open_registry
from flows.seen import leave_out_seen, seen_by
from flows.test_rows import JudgedOn, drawn_mask
from training.bundle import BundleError
from training.predictor import Predictor
from training.publish import Champion

Say = Callable[[str], None]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Judged:
    """The rows judged on, a bundle's answers and behaviour, the gate's verdict, and the champion if it was compared."""

    rows: list[LabelledMessage]
    candidate: Candidate
    verdict: Verdict
    champion: Champion | None


def judge_beside(predictor: Predictor, on: JudgedOn, champion: Champion | None, gate: Gate, say: Say) -> Judged:
    """Return a bundle judged beside the champion on the rows that neither saw in training.

    Where there is a champion that cannot be read, the bundle does not pass.
    """
    beside, unread = None, ""
    if champion:
        try:
            beside = open_champion(champion, say)
        except SwitchboardError as error:
            unread = str(error)
    rows = leave_out_seen(on.rows, on.name, [one.folder for one in (predictor, beside) if one], say)
    candidate = examine(predictor, rows)
    if beside:
        say("judging the champion on the same messages")
    before = examine(beside, rows) if beside else None
    verdict = check_gate(candidate, before, gate, drawn_mask(rows, on.drawn))
    if champion and beside is None:
        say(f"the champion cannot be compared: {unread}")
        verdict = Verdict((_unread(champion, unread), *verdict.checks), verdict.decided_by)
    return Judged(rows, candidate, verdict, champion if beside else None)


def open_champion(champion: Champion, say: Say) -> Predictor:
    """Return the champion as it is published or, where that is damaged, as the registry has it; or raise."""
    try:
        return _open(published_dir() / champion.folder, champion)
    except (BundleError, OSError) as error:
        damage = str(error)
    say(f"the champion's published copy cannot be read, asking the registry for it: {damage}")
    try:
        registry = open_registry()
        return _open(registry.fetch(registry.with_digest(champion.digest)), champion)
    except (SwitchboardError, OSError) as error:
        raise SwitchboardError(f"{damage}; and from the registry: {error}") from None


def _open(folder: Path, champion: Champion) -> Predictor:
    predictor = Predictor(folder)
    seen_by(folder)  # damage there too is found while there is another place to ask
    if predictor.digest != champion.digest:
        raise BundleError(f"{folder}: is another bundle ({predictor.digest[:12]}, expected {champion.digest[:12]})")
    return predictor


def _unread(champion: Champion, why: str) -> Check:
    says = f"champion: insufficient_evidence, version {champion.version} cannot be compared: {why}"
    return Check("champion", "all", NAN, NAN, NAN, NAN, 0, "insufficient_evidence", says)
