"""Judging a model: its figures, its behaviour, the gate's verdict beside the champion, the report; and two compared."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SwitchboardError
from configs.gate import load_gate
from configs.paths import published_dir, tracking_uri, var_dir
from data.messages import LabelledMessage
from evaluation.candidate import Candidate, examine
from evaluation.compare import Comparison, compare
from evaluation.gate import Verdict
from evaluation.learning_curve import Point
from evaluation.report.page import Subject, write_report
from evaluation.score import score
from flows.champion import judge_beside
from flows.locate import locate_bundle
from flows.quality import ledger_quality
from flows.seen import leave_out_seen
from flows.test_rows import industries_of, name_rows, test_rows
from training.predictor import Predictor
from training.publish import last_champion, read_audit

Say = Callable[[str], None]  # not that of flows.model: judging a model never loads torch


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model judged on rows; `verdict` is None where the model is the champion itself."""

    predictor: Predictor
    rows: list[LabelledMessage]
    candidate: Candidate
    verdict: Verdict | None
    champion: str


def evaluate_model(model: str, on: str | None, say: Say) -> Evaluation:
    """Return a model judged on what is new to it of a file, a snapshot or the seed test side, with the gate's verdict."""
    judged_on = test_rows(on)
    predictor = Predictor(locate_bundle(model))
    say(f"judging {predictor.info.name} on {len(judged_on.rows)} messages of {judged_on.name}, and its behaviour")
    champion = last_champion(published_dir())
    if champion is not None and champion.digest == predictor.digest:
        rows = leave_out_seen(judged_on.rows, judged_on.name, [predictor.folder], say)
        return Evaluation(predictor, rows, examine(predictor, rows), None, "")
    found = judge_beside(predictor, judged_on, champion, load_gate(), say)
    name = f"version {found.champion.version}" if found.champion else ""
    return Evaluation(predictor, found.rows, found.candidate, found.verdict, name)


def report_on(found: Evaluation, on: str | None, folder: Path | None = None, say: Say = lambda line: None) -> Path:
    """Write the report's page into a folder, by default one of the model's own, and return the page's path.

    Where the registry knows the bundle, the page is kept in its version's run too, by the name of the rows.
    """
    predictor = found.predictor
    folder = folder or var_dir() / "reports" / f"{predictor.info.name}-{predictor.digest[:12]}"
    fitted, learning = learnt_of(predictor.digest, say)
    subject = Subject(predictor.info, predictor.digest, found.candidate, name_rows(on), found.verdict, found.champion,
                      industries_of(on), fitted, learning, ledger_quality(say),
                      "" if found.verdict else _standing(predictor.digest))  # fmt: skip
    page = write_report(subject, folder / "report.html")
    _keep(predictor.digest, on, page, say)
    return page


def _standing(digest: str) -> str:
    """Return how a bundle became the champion, as the audit trail has it."""
    entry = next((one for one in reversed(read_audit(published_dir())) if one.digest == digest), None)
    if entry is None:
        return ""
    why = f", because: {entry.reason}" if entry.reason else ""
    return f"Version {entry.version}, by {entry.by} on {entry.at[:10]} ({entry.action}){why}. The gate: {entry.verdict or 'not asked'}."


def _keep(digest: str, on: str | None, page: Path, say: Say) -> None:
    if not _has_registry():
        return
    from flows.judging import keep_report

    try:
        keep_report(digest, re.sub(r"\W+", "-", name_rows(on)), page.read_text(encoding="utf-8"))
    except SwitchboardError as error:  # the page lies where it was written
        say(f"the report is not kept in the registry: {error}")


def _has_registry() -> bool:
    uri = tracking_uri()
    return not uri.startswith("sqlite:///") or Path(uri.removeprefix("sqlite:///")).exists()


def learnt_of(digest: str, say: Say) -> tuple[dict[str, int] | None, list[Point]]:
    """Return fitted rows a label and points of the learning curve, where there is a registry that knows the bundle."""
    if not _has_registry():
        return None, []
    from flows.learning import learnt_from  # loads MLflow, which judging alone does without

    try:
        return learnt_from(digest)
    except SwitchboardError as error:  # a report on a model is worth having without it
        say(f"the report goes without the learning curve: {error}")
        return None, []


def compare_models(before: str, after: str, on: str | None, say: Say) -> Comparison:
    """Return what got better and worse from one model to another on the same messages, new to both."""
    judged_on = test_rows(on)
    say(f"comparing {before} with {after} on {len(judged_on.rows)} messages of {judged_on.name}")
    folders = [locate_bundle(name) for name in (before, after)]
    rows = leave_out_seen(judged_on.rows, judged_on.name, folders, say)
    old, new = (score(Predictor(folder), rows) for folder in folders)
    return compare(old, new)
