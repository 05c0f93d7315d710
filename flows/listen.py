"""Listening to what comes in: a period of the decision log beside the one before, or beside the model's test side."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from configs.errors import SwitchboardError
from configs.paths import published_dir, var_dir
from data.ledger import Ledger
from evaluation.period import Period
from evaluation.report.stream_page import Heard, write_stream_report
from evaluation.score import score
from evaluation.stream import Stream, draw, stream_of, to_stream
from flows.quality import quality_or_none
from flows.test_rows import SEED_NAME, test_rows
from training.predictor import Predictor
from training.publish import champion_folder, read_champion

LEAST = 100  # answers from which a period before is a reference
TEXTS = 10_000  # at most, for words and themes


def listen(ledger: Ledger, period: Period) -> Heard:
    """Return what came in during a period, with the reference that there is; a file that was read in never came in."""
    current = _read(ledger, period)
    before = _read(ledger, period.before)
    quality = quality_or_none(ledger)
    if len(before) >= LEAST:
        name = f"the {period.days:.0f} days before ({len(before):,} messages)" if period.days >= 2 else (
            f"the {24 * period.days:.0f} hours before ({len(before):,} messages)")  # fmt: skip
        return Heard(period, current, before, name, True, quality)
    champion = _champion_on_its_test_side()
    name = f"the champion on {SEED_NAME} ({len(champion):,} messages)" if champion else ""
    return Heard(period, current, champion, name, False, quality)


def report_stream(heard: Heard, folder: Path | None = None) -> Path:
    """Write the page into a folder, by default one under the run-time folder, and return the page's path."""
    return write_stream_report(heard, (folder or var_dir() / "reports" / "stream") / "report.html")


def _read(ledger: Ledger, period: Period) -> Stream:
    decisions = ledger.decisions.all(since=period.start, until=period.end)
    found = to_stream(one for one in decisions if one.came_in)
    places = draw(len(found), TEXTS)
    keys = [str(found.message_id[at]) for at in places]
    stored = ledger.messages.get(keys)
    kept = [(at, stored[key].message.text) for at, key in zip(places, keys, strict=True)
            if key in stored and stored[key].message.text]  # fmt: skip
    return replace(found, drawn=np.array([at for at, _ in kept], dtype=int), texts=[text for _, text in kept])


def _champion_on_its_test_side() -> Stream | None:
    """Return the champion's answers on the seed's test side, or None where there is no champion that can be read."""
    champion = read_champion(published_dir())
    if champion is None:
        return None
    try:
        return stream_of(score(Predictor(champion_folder(published_dir())), test_rows().rows), champion.version)
    except SwitchboardError:
        return None
