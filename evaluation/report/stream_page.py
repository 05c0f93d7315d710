"""What came in, as one self-contained HTML page: everything is gathered here, `stream.html` only lays it out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from configs.taxonomy import load_taxonomy
from evaluation.departures import Departures, Move, compare_streams, move_of, names_by_count, taken_out
from evaluation.drift import Rise, rising_words
from evaluation.period import Period, steps_of
from evaluation.report import stream_figures as pictures
from evaluation.report.quality import LedgerQuality
from evaluation.report.rendering import render_page, write_page
from evaluation.stream import Stream, moment
from evaluation.themes import Theme, rising_themes

WORDS, CHANNELS = 20, 6


@dataclass(frozen=True)
class Heard:
    """What came in during a period and what it is compared with; `mixes`: the reference is a real period before."""

    period: Period
    current: Stream
    reference: Stream | None
    reference_name: str
    mixes: bool
    quality: LedgerQuality | None = None

    @cached_property
    def departures(self) -> Departures:
        """In what the period departs from its reference."""
        return compare_streams(self.reference, self.current, load_taxonomy().labels, mixes=self.mixes)

    @cached_property
    def words(self) -> list[Rise]:
        """The words that rose, the surest first."""
        if self.reference is None or not self.mixes:
            return []
        return rising_words(self.reference.texts, self.current.texts, top=WORDS)

    @cached_property
    def themes(self) -> list[Theme]:
        """The themes that rose, the surest first."""
        if self.reference is None or not self.mixes:
            return []
        return rising_themes(self.reference.texts, self.current.texts, self.current.label[self.current.drawn].tolist())


def write_stream_report(heard: Heard, path: Path) -> Path:
    """Write the page and return its path."""
    return write_page(render_stream(heard), path)


def render_stream(heard: Heard) -> str:
    """Return the page's HTML; texts in it are escaped, and it loads nothing from anywhere."""
    return render_page("stream.html", _gather(heard))


def _gather(heard: Heard) -> dict[str, Any]:
    now, before = heard.current, heard.reference
    labels = load_taxonomy().labels
    return {
        "heard": heard, "labels": labels, "total": len(now), "found": heard.departures,
        "written": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        "title": _name(heard.period), "step": steps_of(heard.period).name, "a_day": len(now) / heard.period.days,
        "times": len(now) / len(before) if before is not None and heard.mixes and len(before) else float("nan"),
        "tiles": _tiles(now, before if heard.mixes else None), "by_segment": _by(now, now.label, labels),
        "by_channel": _by(now, now.channel, names_by_count(now.channel)),
        "reasons": Counter(str(one) for one in now.reason if one).most_common(),
        "versions": _versions(now), "kept": len(now.texts), "drawn": len(now.drawn),
        "pictures": _pictures(heard, labels) if len(now) else {},
    }  # fmt: skip


def _tiles(now: Stream, before: Stream | None) -> list[Move]:
    """Return the shares at a glance."""
    parts = {
        "handled with nobody looking": lambda stream: stream.auto,
        "taken out as spam": taken_out,
        "waiting for a person": lambda stream: ~stream.auto,
        "said to belong nowhere": lambda stream: stream.reason == "out_of_scope",
        "of what is called spam, taken out": lambda stream: stream.auto[stream.label == "spam"],
    }
    return [move_of(name, None if before is None else of(before), of(now)) for name, of in parts.items()]


def _by(now: Stream, column: np.ndarray, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return for each value of a column the share handled alone and the mean confidence."""
    own = {name: column == name for name in names}
    return {
        name: (float(now.auto[at].mean()), float(now.confidence[at].mean())) for name, at in own.items() if at.any()
    }


def _versions(now: Stream) -> list[tuple[str, int, datetime, datetime]]:
    found = []
    for version in names_by_count(now.version):
        at = now.at[now.version == version]
        found.append((version, len(at), moment(float(at.min())), moment(float(at.max()))))
    return found


def _pictures(heard: Heard, labels: Sequence[str]) -> dict[str, str]:
    now, before, steps = heard.current, heard.reference, steps_of(heard.period)
    shares = {
        "handled alone": now.auto,
        "taken out as spam": taken_out(now),
        "out of scope": now.reason == "out_of_scope",
    }
    drawn = {
        "volume": pictures.volume_figure(steps, now.at, now.label, labels),
        "channels": pictures.volume_figure(steps, now.at, now.channel, names_by_count(now.channel)[:CHANNELS]),
        "segments": pictures.segments_figure(steps, now, labels),
        "shares": pictures.shares_figure(steps, now.at, shares),
        "confidence": pictures.spread_figure(
            None if before is None else before.confidence, now.confidence, "confidence"
        ),
        "doubt": "",
    }
    doubt = now.doubt[~np.isnan(now.doubt)]
    if len(doubt):
        known = None if before is None else before.doubt[~np.isnan(before.doubt)]
        drawn["doubt"] = pictures.spread_figure(known, doubt, "doubt")
    return drawn


def _name(period: Period) -> str:
    if period.days < 3:
        return f"{period.start:%d %B %H:%M} to {period.end:%d %B %Y %H:%M} UTC"
    return f"{period.start:%d %B %Y} to {period.end:%d %B %Y}"
