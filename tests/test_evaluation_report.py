"""The report is one page that loads nothing, escapes every text, and says what was found."""

import re
from pathlib import Path

import pytest

from configs.gate import load_gate
from data.messages import LabelledMessage, Message
from evaluation.candidate import Candidate, examine
from evaluation.gate import check_gate
from evaluation.learning_curve import Curve, Point
from evaluation.report.page import Subject, render, write_report
from evaluation.report.rendering import number, percent
from tests.bundles import WORDS
from training.predictor import Predictor

EVIL = "<script>alert('x')</script> broken router"


@pytest.fixture(scope="module")
def page(tiny_bundle: Path) -> str:
    predictor = Predictor(tiny_bundle, threads=1)
    rows = [LabelledMessage(Message(f"{words} {i}", f"{label}-{i}", "mail" if i % 2 else "forum"), label)
            for label, words in WORDS.items() for i in range(12)]  # fmt: skip
    rows += [LabelledMessage(Message(EVIL, "evil"), "praise"), LabelledMessage(Message("whatever idk", "n"), "none")]
    candidate = examine(predictor, rows)
    curve = Curve(0.9, 3.0, 0.4)
    subject = Subject(
        predictor.info, predictor.digest, candidate, "the rows of this test",
        check_gate(candidate, Candidate(candidate.scored, candidate.behaviour), load_gate()), "version 1 <old>",
        learning=[Point(n, curve.at(n)) for n in (60, 120, 240)],
    )  # fmt: skip
    return render(subject)


def test_it_loads_nothing_from_anywhere(page: str):
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "@import" not in page and "url(" not in page and "<script" not in page


def test_texts_of_strangers_are_escaped(page: str):
    assert "&lt;script&gt;alert(" in page
    assert "version 1 &lt;old&gt;" in page


def test_every_part_is_there(page: str):
    for title in ("What to do next", "At a glance", "By label", "What is taken for what", "Can its confidence be trusted",
                  "What sinks in spam", "Slices", "Behaviour", "Its surest mistakes", "Every check of the gate",
                  "Where it comes from"):  # fmt: skip
        assert f"<h2>{title}</h2>" in page
    assert page.count("data:image/svg+xml;base64,") == 5
    assert "worth asking for" in page


def test_no_value_is_left_as_python_prints_it(page: str):
    shown = re.sub(r"<style>.*?</style>|data:[^\"]+", "", page, flags=re.S)
    assert not re.findall(r">nan|nan%|nan to|>None<|Undefined|np\.float", shown)


def test_a_refusal_gives_its_reasons(page: str):
    assert "The gate refuses it" in page
    assert "insufficient_evidence, 12 rows, 30 are needed" in page


def test_a_page_on_rows_of_one_label_is_no_crash(tiny_bundle: Path, tmp_path: Path):
    predictor = Predictor(tiny_bundle, threads=1)
    for rows in ([LabelledMessage(Message("thanks", "a"), "praise")], [LabelledMessage(Message("ok", "b"), "none")]):
        subject = Subject(predictor.info, predictor.digest, examine(predictor, rows), "one row")
        assert write_report(subject, tmp_path / "deep" / "page.html").stat().st_size > 10_000


@pytest.mark.parametrize("points", [[], [Point(60, 0.5)], [Point(60, 0.5), Point(60, 0.6)]])
def test_one_size_of_training_makes_no_learning_curve(tiny_bundle: Path, points: list[Point]):
    predictor = Predictor(tiny_bundle, threads=1)
    candidate = examine(predictor, [LabelledMessage(Message("thanks", "a"), "praise")])
    page = render(Subject(predictor.info, predictor.digest, candidate, "one row", learning=points))
    assert 'alt="Learning curve"' not in page


def test_figures_as_people_read_them():
    assert (number(0.8449), number(float("nan")), percent(0.934, 1), percent(0.5)) == ("0.84", "–", "93.4%", "50%")
