"""The report's pictures: drawn with matplotlib without a display, returned as SVG in data URIs."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from evaluation.answers import Answers
from evaluation.curves import precision_recall_curve, reliability, risk_coverage
from evaluation.learning_curve import Curve, Point

INK, MUTED, LINE, ACCENT, WARN = "#1d2733", "#6b7785", "#d9dee4", "#1f6f78", "#b4541a"
POINTS = 200
FIRST = 19  # before so many messages the share wrong is noise
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.edgecolor": LINE, "axes.labelcolor": MUTED, "axes.grid": True,
    "grid.color": "#eef1f4", "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": MUTED, "ytick.color": MUTED, "text.color": INK, "svg.hashsalt": "switchboard",
    "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left",
}  # fmt: skip


def reliability_figure(inside: Answers) -> str:
    """Return how often the model is right at each confidence, with intervals, against the honest diagonal."""
    bins = reliability(inside.confidence, inside.right)
    sure, right = np.array([one.confidence for one in bins]), np.array([one.right for one in bins])
    spread = np.array([[max(0.0, one.right - one.low), max(0.0, one.high - one.right)] for one in bins]).T

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=(0, (4, 3)))
        axes.errorbar(sure, right, yerr=spread, fmt="o", color=ACCENT, ms=5, lw=1.2, ecolor="#9cc3c7")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="confidence said", ylabel="share right")

    return _single(draw)


def risk_figure(inside: Answers) -> str:
    """Return the share wrong among the messages answered, as ever less sure ones are taken in."""
    coverage, risk = risk_coverage(inside.confidence, inside.right)
    first = min(FIRST, len(risk) - 1)
    at = np.unique(np.linspace(first, len(risk) - 1, min(POINTS, len(risk))).astype(int))

    def draw(axes: Axes) -> None:
        axes.fill_between(coverage[at], risk[at], color=ACCENT, alpha=0.12, lw=0)
        axes.plot(coverage[at], risk[at], color=ACCENT, lw=1.8)
        axes.axhline(0.05, color=WARN, lw=1, ls=(0, (4, 3)))
        axes.annotate("5% wrong", (0.4, 0.05), xytext=(0, 3), textcoords="offset points", color=WARN, fontsize=8)
        axes.set(xlim=(0, 1), ylim=(0, max(0.1, float(risk[at].max()) * 1.1)), xlabel="share of messages answered",
                 ylabel="share of those wrong")  # fmt: skip

    return _single(draw)


def doubt_figure(answers: Answers, threshold: float) -> str:
    """Return how doubt is spread over messages that have a label and over those that belong nowhere."""
    edges = np.linspace(0, 1, 26).tolist()

    def draw(axes: Axes) -> None:
        for part, colour, name in ((~answers.is_outside, ACCENT, "has a label"), (answers.is_outside, WARN, "nowhere")):
            doubts = answers.doubt[part]
            weights = np.full(len(doubts), 1 / max(1, len(doubts)))
            axes.hist(doubts, bins=edges, weights=weights, color=colour, alpha=0.55, label=f"{name} ({len(doubts)})")
        axes.axvline(threshold, color=INK, lw=1, ls=(0, (4, 3)))
        axes.legend(frameon=False, fontsize=8)
        axes.set(xlim=(0, 1), xlabel="doubt (dashed: out of scope from here)", ylabel="share of its kind")

    return _single(draw)


def precision_recall_figure(inside: Answers, labels: Sequence[str]) -> str:
    """Return precision against recall for each label, in small pictures of one scale."""
    with mpl.rc_context(STYLE):
        rows = -(-len(labels) // 4)
        figure = Figure(figsize=(9.4, 2.05 * rows), layout="constrained")
        grid = figure.subplots(rows, 4, sharex=True, sharey=True, squeeze=False)
        for place, (axes, label) in enumerate(zip(grid.flat, labels, strict=False)):
            positive = inside.true == place
            recall, precision = precision_recall_curve(inside.scores[:, place], positive)
            axes.plot(recall, precision, color=ACCENT, lw=1.5)
            axes.set_title(f"{label} ({int(positive.sum())})")
            axes.set(xlim=(0, 1.02), ylim=(0, 1.04))
        figure.supxlabel("recall", fontsize=9, color=MUTED)
        figure.supylabel("precision", fontsize=9, color=MUTED)
        return encode(figure)


def learning_figure(points: Sequence[Point], curve: Curve | None) -> str:
    """Return quality against the number of labelled messages, with the fitted curve drawn a little further."""

    def draw(axes: Axes) -> None:
        rows = [point.rows for point in points]
        axes.plot(rows, [point.quality for point in points], "o", color=ACCENT, ms=5)
        if curve:
            further = np.geomspace(min(rows), max(rows) * 3, 100)
            axes.plot(further, [curve.at(one) for one in further], color=MUTED, lw=1.2, ls=(0, (4, 3)))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(rows))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:,.0f}"))
        axes.xaxis.set_minor_locator(FixedLocator([]))
        axes.set(xlabel="labelled messages", ylabel="macro-F1")

    return _single(draw)


def _single(draw: Callable[[Axes], object]) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.1), layout="constrained")
        draw(figure.subplots())
        return encode(figure)


def encode(figure: Figure) -> str:
    """Return a drawn figure as SVG in a data URI, the same bytes each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
