"""The report as one self-contained HTML page: everything is gathered here, `page.html` only lays it out."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configs.taxonomy import NONE
from evaluation.candidate import Candidate
from evaluation.curves import area_under_risk
from evaluation.gate import Verdict
from evaluation.intervals import intervals
from evaluation.learning_curve import Point, fit_curve, fitted_curve
from evaluation.mistakes import arguable, confused_pairs, confusion, mistakes, spam_sink
from evaluation.next_steps import advise
from evaluation.report import figures as pictures
from evaluation.report.quality import LedgerQuality
from evaluation.report.rendering import render_page, write_page
from evaluation.slices import facets_of, slices
from training.bundle import BundleInfo

WORST = 15


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about: a model, the rows it was judged on, and what is known beside them."""

    info: BundleInfo
    digest: str
    candidate: Candidate
    rows_name: str
    verdict: Verdict | None = None
    champion: str = ""
    industries: Mapping[str, str] = field(default_factory=dict)
    fitted: Mapping[str, int] | None = None
    learning: Sequence[Point] = ()
    quality: LedgerQuality | None = None
    standing: str = ""  # of the champion itself, which no gate compares with itself: what the audit trail says of it


def write_report(subject: Subject, path: Path) -> Path:
    """Write the page and return its path."""
    return write_page(render(subject), path)


def write_figures(subject: Subject, folder: Path) -> None:
    """Write each picture of the page as an SVG file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in _pictures(subject).items():
        if picture:
            (folder / f"{name}.svg").write_bytes(base64.b64decode(picture.partition(",")[2]))


def render(subject: Subject) -> str:
    """Return the page's HTML; texts in it are escaped, and it loads nothing from anywhere."""
    return render_page("page.html", gather(subject))


def gather(subject: Subject) -> dict[str, Any]:
    """Return everything that the page shows, by name."""
    scored = subject.candidate.scored
    answers, labels = scored.answers(), scored.labels
    named = intervals(answers, labels)
    counts = confusion(scored)
    return {
        "subject": subject, "info": subject.info, "labels": labels, "named": named,
        "written": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        "total": len(scored.rows), "outside": int(answers.is_outside.sum()), "none_name": NONE,
        "steps": advise(scored, named, subject.fitted, *fitted_curve(subject.learning)),
        "matrix": [(name, row.tolist(), int(row.sum())) for name, row in zip((*labels, NONE), counts, strict=True)],
        "sink": spam_sink(scored), "pairs": confused_pairs(scored, top=6), "worst": mistakes(scored)[:WORST],
        "arguable": arguable(scored),
        "slices": slices(answers, facets_of(scored.rows, subject.industries), labels),
        "risk_area": area_under_risk(answers.inside().confidence, answers.inside().right),
        "behaviour": subject.candidate.behaviour,
        "pictures": _pictures(subject),
    }  # fmt: skip


def _pictures(subject: Subject) -> dict[str, str]:
    answers = subject.candidate.scored.answers()
    inside = answers.inside()
    drawn: dict[str, str] = dict.fromkeys(("reliability", "risk", "precision_recall", "learning"), "")
    drawn["doubt"] = pictures.doubt_figure(answers, subject.info.thresholds.out_of_scope)
    if len(inside):
        drawn |= {
            "reliability": pictures.reliability_figure(inside),
            "risk": pictures.risk_figure(inside),
            "precision_recall": pictures.precision_recall_figure(inside, subject.candidate.scored.labels),
        }
    if len({point.rows for point in subject.learning}) > 1:  # one dot is no curve
        drawn["learning"] = pictures.learning_figure(subject.learning, fit_curve(subject.learning))
    return drawn
