"""Listening to a real ledger: what rises is said, what is as before is not, and the page shows it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.errors import SwitchboardError
from data.ledger import FILE_CALLER, LabelEvent, Ledger, Selection, open_ledger
from evaluation.period import Period
from evaluation.report.stream_page import render_stream
from flows.listen import listen
from switchboard import app
from tests.bundles import make_bundle
from tests.streams import log_answers
from training.publish import publish

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WEEK = Period(NOW - timedelta(days=7), NOW)
CALM = ("request", "request", "abuse", "praise", "spam")
TEXTS = ("my router is broken again", "parcel never came", "you are awful", "lovely shop", "win a free phone now")


@pytest.fixture
def stream(var_dir: Path) -> Iterator[Ledger]:
    var_dir.mkdir()
    with open_ledger() as ledger:
        log_answers(ledger, NOW - timedelta(days=10), CALM * 80, TEXTS * 80, key="old")
        yield ledger


def test_a_calm_week_alerts_nobody(stream: Ledger):
    log_answers(stream, NOW - timedelta(days=3), CALM * 80, TEXTS * 80, key="new")
    heard = listen(stream, WEEK)
    assert heard.mixes and len(heard.current) == 400 and heard.departures.alerts == ()
    assert heard.words == [] and heard.themes == []


def test_a_file_that_was_read_to_choose_what_to_label_never_came_in(stream: Ledger):
    log_answers(stream, NOW - timedelta(days=3), CALM * 80, TEXTS * 80, key="new")
    log_answers(stream, NOW - timedelta(days=2), ["fraud"] * 900, key="file", caller=FILE_CALLER)
    heard = listen(stream, WEEK)
    assert len(heard.current) == 400 and heard.departures.alerts == ()


def test_what_rises_is_said_with_its_words_theme_and_messages(stream: Ledger):
    log_answers(stream, NOW - timedelta(days=3), CALM * 60, TEXTS * 60, key="new")
    fraud = [f"somebody sends a phishing text about a customs fee, is that you {'?' * (n % 3)}" for n in range(100)]
    log_answers(stream, NOW - timedelta(days=2), ["fraud"] * 100, fraud, confidence=0.4, channel="mail",
                reason="low_confidence", doubt=0.3, version="2", key="rise")  # fmt: skip
    heard = listen(stream, WEEK)
    alerts = " ".join(heard.departures.alerts)
    assert "fraud 0.0% → 25%" in alerts and "mail 0.0% → 25%" in alerts
    assert "handled with nobody looking 100% → 75%" in alerts and "The confidence departs" in alerts
    assert "The doubt departs" in alerts
    assert {"phishing", "customs"} <= {one.word for one in heard.words}
    theme = heard.themes[0]
    assert theme.count == 100 and theme.segments == (("fraud", 100),) and "phishing" in theme.examples[0]
    page = render_stream(heard)
    assert "Several model versions answered" in page and "phishing" in page and page.count("data:image/svg+xml") == 6


def test_before_there_is_a_week_to_compare_with_the_champions_own_test_side_is_the_reference(
    var_dir: Path, tmp_path: Path
):
    var_dir.mkdir()
    with open_ledger() as ledger:
        log_answers(ledger, NOW - timedelta(days=2), CALM * 20, doubt=None)
        assert listen(ledger, WEEK).reference is None
        publish(make_bundle(tmp_path / "one"), "1", var_dir / "published")
        heard = listen(ledger, WEEK)
    assert not heard.mixes and heard.reference_name.startswith("the champion on the seed corpus' test side")
    assert [one.aspect for one in heard.departures.drifts] == ["confidence"], "no texts kept, no doubt logged"
    assert "Rising words and themes need a period before" in render_stream(heard)


def test_a_period_without_answers_says_so_and_what_to_look_at(stream: Ledger):
    page = render_stream(listen(stream, Period(NOW - timedelta(days=1), NOW)))
    assert "Nothing was answered in this period" in page and "log_decisions" in page


def test_the_page_escapes_texts_loads_nothing_and_shows_the_ledgers_labels(stream: Ledger):
    evil = [f"<script>alert(1)</script> parcel loop {'!' * (n % 2)}" for n in range(60)]
    log_answers(stream, NOW - timedelta(days=3), CALM * 60, TEXTS * 60, key="new")
    log_answers(stream, NOW - timedelta(days=2), ["request"] * 60, evil, key="evil")
    at = NOW - timedelta(days=2)
    stream.selections.append(
        [Selection(message_id="evil-1", batch="b", strategy="random", blind=True, probability=0.1, at=at)]
    )
    stream.events.append([LabelEvent(key="k", message_id="evil-1", annotator="ann", origin="labeler", label="request",
                                     model_label="request", at=at + timedelta(hours=1))])  # fmt: skip
    page = render_stream(listen(stream, WEEK))
    assert "&lt;script&gt;alert" in page and "<script" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "What people say of it" in page and "1 drawn at random and labelled blind" in page
    shown = re.sub(r"<style>.*?</style>|data:[^\"]+", "", page, flags=re.S)
    assert not re.findall(r">nan|nan%|nan to|>None<|np\.float", shown)


def test_the_command_writes_the_page_and_speaks_to_machines(stream: Ledger, var_dir: Path):
    log_answers(stream, datetime.now(UTC) - timedelta(hours=3), ["praise"] * 20)
    found = CliRunner().invoke(app, ["report", "--since", "24h", "--json"], catch_exceptions=False)
    told = json.loads(found.stdout)
    assert told["messages"] == 20 and told["alerts"] == []
    assert Path(told["page"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    said = CliRunner().invoke(app, ["report", "--since", "2999-01-01"])
    assert isinstance(said.exception, SwitchboardError) and "not in the past" in str(said.exception)
    said = CliRunner().invoke(app, ["report", "champion", "--since", "7d"])
    assert isinstance(said.exception, SwitchboardError)
