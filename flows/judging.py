"""A version judged: beside the champion on the same rows, with all of it kept in the version's run."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from configs.gate import load_gate
from configs.paths import published_dir
from data.messages import LabelledMessage
from evaluation.candidate import Candidate
from evaluation.gate import Verdict
from evaluation.intervals import intervals
from evaluation.report.page import Subject, write_figures, write_report
from flows.champion import judge_beside
from flows.learning import Drawn
from flows.quality import Say, ledger_quality
from flows.seen import leave_out_seen
from flows.test_rows import (
    TEST_SIDE,
    JudgedOn,
    current_test_rows,
    customer_test_rows,
    industries_of,
    test_rows,
    with_current,
)
from flows.training_set import TrainingSet
from training.bundle import CARD
from training.parts import fingerprint
from training.predictor import Predictor
from training.publish import Champion, last_champion
from training.registry import Registry, Run, Version

GATE, JUDGED_WITH, JUDGED_ON, GATE_FILE = "gate", "gate_champion", "gate_own_rows", "gate.json"
NO_CHAMPION = "none"


@dataclass(frozen=True, slots=True)
class Assessment:
    """A bundle's answers and behaviour, and the gate's verdict; `champion` is what it was compared with, if it was.

    `own` is a digest of a company's current test rows where all of them were judged on, else empty.
    """

    predictor: Predictor
    candidate: Candidate
    verdict: Verdict
    champion: Champion | None
    own: str = ""


def assess(
    folder: Path, rows: list[LabelledMessage], drawn: frozenset[str] = frozenset(), say: Say = lambda line: None,
    name: str = TEST_SIDE,
) -> Assessment:  # fmt: skip
    """Return a bundle judged on `rows` against the champion on the same rows, without those that either learnt from.

    `drawn`: ids of those drawn at random; `name`: what a person calls the rows.
    """
    predictor = Predictor(folder)
    found = judge_beside(predictor, JudgedOn(rows, drawn, name), last_champion(published_dir()), load_gate(), say)
    judged, current = {row.message.id for row in rows}, customer_test_rows().rows
    own = fingerprint(current) if judged >= {row.message.id for row in current} else ""
    return Assessment(predictor, found.candidate, found.verdict, found.champion, own)


def judge_again(registry: Registry, version: Version, on: str | None, say: Say) -> Version:
    """Return a version with a verdict of now: against the champion there is, on what is current and the rows that are named."""
    rows, folder = current_test_rows(), registry.fetch(version)
    if on:
        named = test_rows(on)
        leave_out_seen(named.rows, named.name, [folder], lambda line: None)  # refuses rows that say nothing
        rows = with_current(named)
    say(f"judging version {version.version} again on {len(rows.rows)} messages of {rows.name}")
    found = assess(folder, rows.rows, rows.drawn, say, rows.name)
    registry.note(version, gate_tags(found), {GATE_FILE: json.dumps(found.verdict.as_json(), indent=1)})
    return registry.find(version.version)


def gate_tags(found: Assessment) -> dict[str, str]:
    """Return what a version's tags say of its verdict: the verdict, beside which champion, and on which of a company's rows."""
    verdict = "passed" if found.verdict.passed else "failed: " + "; ".join(found.verdict.reasons)[:400]
    return {GATE: verdict, JUDGED_WITH: found.champion.digest if found.champion else NO_CHAMPION, JUDGED_ON: found.own}


def is_on_current_rows(tags: Mapping[str, str]) -> bool:
    """Return whether a version with these tags was judged on all of a company's test rows that there are now."""
    return tags.get(JUDGED_ON, fingerprint([])) == fingerprint(customer_test_rows().rows)


def keep_report(digest: str, name: str, page: str) -> bool:
    """Keep a report's page in the run of the version with that bundle; return whether the registry knows one."""
    registry = Registry()
    version = next((one for one in registry.versions() if one.digest == digest), None)
    if version is not None:
        registry.note(version, {}, {f"reports/{name}.html": page})
    return version is not None


def log_assessment(run: Run, found: Assessment, rows: TrainingSet, say: Say, curve: Drawn | None = None) -> None:
    """Keep figures with intervals, every check of the gate, the model card, and the report with its pictures."""
    scored = found.candidate.scored
    named = intervals(scored.answers(), scored.labels)
    figures = found.candidate.figures()
    bounds = {
        f"{name}_{end}": value for name, one in named.items() for end, value in (("low", one.low), ("high", one.high))
    }
    run.log_metrics(figures | bounds)
    run.log_text(json.dumps(found.verdict.as_json(), indent=1), GATE_FILE)
    card = (found.predictor.folder / CARD).read_text(encoding="utf-8")
    table = "\n".join(
        f"| {name} | {one.value:.3f} | {one.low:.3f} to {one.high:.3f} | {one.support} |" for name, one in named.items()
    )
    run.log_text(f"{card}\n| figure | value | 95% | rows |\n| --- | --- | --- | --- |\n{table}\n", "model_card.md")
    subject = Subject(
        found.predictor.info, found.predictor.digest, found.candidate, f"the test side of {rows.source}", found.verdict,
        f"version {found.champion.version}" if found.champion else "", industries_of(None),
        fitted=Counter(row.label for row in rows.fit), learning=curve.points if curve else (), quality=ledger_quality(say),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        write_report(subject, Path(folder) / "report.html")
        write_figures(subject, Path(folder) / "figures")
        run.log_files(Path(folder), "report")
