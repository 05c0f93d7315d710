"""The pictures of what came in: volume over time, shares over time, confidence and doubt against the reference."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from evaluation.intervals import wilson
from evaluation.period import Steps
from evaluation.report.figures import ACCENT, MUTED, STYLE, WARN, encode
from evaluation.stream import Stream

PALETTE = ("#c3cad2", "#1f6f78", "#6fb7b9", "#b4541a", "#e3a857", "#4a6fa5", "#9d8ec7", "#7d2e46", "#7a8f4b", "#1d2733")
_PERCENT = FuncFormatter(lambda share, _: f"{share:.0%}")
_FEW = 5  # answers in a step below which its share is left out


def volume_figure(steps: Steps, at: np.ndarray, values: np.ndarray, names: Sequence[str]) -> str:
    """Return the number of answers a step, stacked by the values that are named; the rest is called `other`."""
    counts = {name or "not given": _counted(steps, at[values == name]) for name in names}
    rest = _counted(steps, at[~np.isin(values.astype(str), list(names))])
    counts |= {"other": rest} if rest.any() else {}

    def draw(axes: Axes) -> None:
        below = np.zeros(len(steps.edges) - 1)
        for place, (name, count) in enumerate(counts.items()):
            axes.bar(_starts(steps), count, _width(steps), below, align="edge", color=PALETTE[place % len(PALETTE)],
                     label=name, lw=0)  # fmt: skip
            below = below + count
        axes.set_ylabel(f"messages a {steps.name}")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))

    return _timeline(steps, draw, min(4, len(counts)))


def shares_figure(steps: Steps, at: np.ndarray, holds: Mapping[str, np.ndarray]) -> str:
    """Return shares of the answers (N,) a step with their 95% intervals."""

    def draw(axes: Axes) -> None:
        total = _counted(steps, at)
        kept = np.flatnonzero(total >= _FEW)
        when = _days((steps.edges[:-1] + steps.edges[1:]) / 2)[kept]
        for (name, one), colour in zip(holds.items(), (ACCENT, WARN, MUTED), strict=False):
            hits = _counted(steps, at[one])
            bounds = np.array([wilson(int(hits[step]), int(total[step])) for step in kept]).reshape(-1, 2)
            axes.plot(when, hits[kept] / np.maximum(1, total[kept]), "o-", color=colour, lw=1.6, ms=3, label=name)
            axes.fill_between(when, bounds[:, 0], bounds[:, 1], color=colour, alpha=0.13, lw=0)
        axes.set(ylim=(0, 1), ylabel=f"share of the {steps.name}'s messages")
        axes.yaxis.set_major_formatter(_PERCENT)

    return _timeline(steps, draw, len(holds))


def segments_figure(steps: Steps, stream: Stream, labels: Sequence[str]) -> str:
    """Return the number of answers of each segment a step, in small pictures of a scale each."""
    with mpl.rc_context(STYLE):
        rows = -(-len(labels) // 4)
        figure = Figure(figsize=(9.4, 1.75 * rows), layout="constrained")
        grid = figure.subplots(rows, 4, sharex=True, squeeze=False)
        for axes, label in zip(grid.flat, labels, strict=False):
            own = stream.at[stream.label == label]
            axes.bar(_starts(steps), _counted(steps, own), _width(steps), align="edge", color=ACCENT, lw=0)
            axes.set_title(f"{label} ({len(own):,})")
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            _dates(axes, steps, 3)
        return encode(figure)


def spread_figure(reference: np.ndarray | None, now: np.ndarray, what: str) -> str:
    """Return how a number between 0 and 1 is spread now, against its spread in the reference."""
    edges = np.linspace(0, 1, 21).tolist()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.1), layout="constrained")
        axes = figure.subplots()
        axes.hist(now, bins=edges, weights=_shares(now), color=ACCENT, alpha=0.55, label=f"now ({len(now):,})")
        if reference is not None and len(reference):
            axes.hist(reference, bins=edges, weights=_shares(reference), histtype="step", color=WARN, lw=1.6,
                      label=f"reference ({len(reference):,})")  # fmt: skip
        axes.legend(frameon=False, fontsize=8, loc="upper center", ncols=2)
        axes.set(xlim=(0, 1), xlabel=what, ylabel="share of messages")
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.margins(y=0.18)
        return encode(figure)


def _timeline(steps: Steps, draw: Callable[[Axes], object], columns: int) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        _dates(axes, steps, 6)
        figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=8, handlelength=1.2)
        return encode(figure)


def _dates(axes: Axes, steps: Steps, most: int) -> None:
    locator = FixedLocator(_days(steps.edges[:: -(-len(steps.edges) // most)]).tolist())
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    first, *_, last = _days(steps.edges).tolist()
    axes.set_xlim(first, last)


def _counted(steps: Steps, at: np.ndarray) -> np.ndarray:
    return np.bincount(steps.of(at), minlength=len(steps.edges) - 1)


def _starts(steps: Steps) -> np.ndarray:
    return _days(steps.edges[:-1])


def _width(steps: Steps) -> float:
    return 0.92 * float(_days(steps.edges[1:2] - steps.edges[:1])[0])


def _days(seconds: np.ndarray) -> np.ndarray:
    """Return days since 1970, in which matplotlib counts time."""
    return seconds / 86_400


def _shares(values: np.ndarray) -> np.ndarray:
    return np.full(len(values), 1 / max(1, len(values)))
