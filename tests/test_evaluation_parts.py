"""Slices, curves, mistakes and comparisons, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix

from data.messages import LabelledMessage, Message
from evaluation.compare import compare, verdict_of
from evaluation.curves import area_under_risk, precision_recall_curve, reliability, risk_coverage
from evaluation.intervals import Difference
from evaluation.metrics import calibration_error, coverage_at
from evaluation.mistakes import arguable, confused_pairs, confusion, mistakes, spam_sink
from evaluation.slices import OTHER, facets_of, length_of, slices
from tests.scored import LABELS, make_scored


def row(text: str, channel: str, id_: str = "x") -> LabelledMessage:
    return LabelledMessage(Message(text, id_, channel), "praise")


def test_facets_are_those_that_differ():
    rows = [row("short", "twitter", "a"), row("x" * 150, "mail", "b")]
    facets = facets_of(rows, {"a": "airline"})
    assert facets == {"channel": ["twitter", "mail"], "length": ["under 40 characters", "100 to 199"],
                      "industry": ["airline", ""]}  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=400))
def test_every_text_has_a_length(text):
    assert length_of(text)


def test_slices_count_and_rare_values_go_together():
    true = ["praise"] * 30
    found = ["praise"] * 15 + ["abuse"] * 15
    channels = ["twitter"] * 20 + ["a", "b"] * 5
    first, second = slices(make_scored(true, found).answers(), {"channel": channels}, LABELS)
    assert (first.value, first.count, first.right) == ("twitter", 20, 0.75)
    assert (second.value, second.count, second.right) == (OTHER, 10, 0.0)
    assert first.low < 0.75 < first.high


def test_a_single_rare_value_keeps_its_name():
    found = slices(
        make_scored(["praise"] * 13, ["praise"] * 13).answers(), {"language": ["English"] * 12 + ["x"]}, LABELS
    )
    assert [one.value for one in found] == ["English", "x"]


sure_and_right = st.integers(1, 60).flatmap(
    lambda n: st.tuples(arrays(float, n, elements=st.floats(0, 1)), arrays(bool, n))
)


@settings(deadline=None, max_examples=40)
@given(sure_and_right)
def test_risk_ends_at_the_overall_error_and_agrees_with_coverage(given_):
    confidence, right = given_
    coverage, risk = risk_coverage(confidence, right)
    assert coverage[-1] == 1.0
    assert risk[-1] == pytest.approx(1 - right.mean())
    assert coverage_at(0.9, confidence, right) == pytest.approx(max([0.0, *coverage[risk <= 0.1 + 1e-12]]))


def test_area_under_risk_prefers_a_model_that_knows_where_it_is_wrong():
    right = np.array([True, True, False, False])
    assert area_under_risk(np.array([0.9, 0.8, 0.2, 0.1]), right) < area_under_risk(
        np.array([0.1, 0.2, 0.8, 0.9]), right
    )


@settings(deadline=None, max_examples=40)
@given(sure_and_right)
def test_the_bins_add_up_to_the_calibration_error(given_):
    confidence, right = given_
    bins = reliability(confidence, right)
    assert sum(one.count for one in bins) == len(right)
    gap = sum(one.count * abs(one.confidence - one.right) for one in bins) / len(right)
    assert gap == pytest.approx(calibration_error(confidence, right.astype(float)))


def test_precision_and_recall_along_the_scores():
    recall, precision = precision_recall_curve(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
    assert recall.tolist() == [0.5, 0.5, 1.0]
    assert precision.tolist() == [1.0, 0.5, pytest.approx(2 / 3)]


def test_the_confusion_matrix_is_that_of_scikit_learn_with_none_last():
    rng = np.random.default_rng(0)
    true = [[*LABELS, "none"][i] for i in rng.integers(0, 9, 90)]
    found = [LABELS[i] for i in rng.integers(0, 8, 90)]
    theirs = confusion_matrix(true, found, labels=[*LABELS, "none"])[:, :-1]
    assert (confusion(make_scored(true, found)) == theirs).all()


def test_confused_pairs_come_with_their_surest_messages():
    scored = make_scored(["abuse"] * 4 + ["lead"], ["request"] * 3 + ["abuse", "spam"], [0.5, 0.9, 0.7, 0.9, 0.6])
    first, second = confused_pairs(scored, examples=2)
    assert (first.true, first.found, first.count, first.share) == ("abuse", "request", 3, 0.75)
    assert [one.text for one in first.examples] == ["text 1", "text 2"]
    assert (second.true, second.found) == ("lead", "spam")


def test_what_belongs_nowhere_is_no_mistake():
    assert mistakes(make_scored(["none"], ["spam"])) == []


def test_the_spam_sink_by_true_label():
    scored = make_scored(["fraud", "fraud", "lead", "spam", "none"], ["spam", "fraud", "spam", "spam", "spam"],
                         auto=[True, True, False, True, True])  # fmt: skip
    table = {one.label: (one.count, one.called, one.taken_out) for one in spam_sink(scored)}
    assert table["fraud"] == (2, 1, 1)
    assert table["lead"] == (1, 1, 0)
    assert table["none"] == (1, 1, 1)
    assert "spam" not in table


def test_arguable_mistakes_are_counted():
    scored = make_scored(["abuse", "abuse"], ["request", "lead"], second=[("request",), ("request",)])
    assert arguable(scored) == (2, 1)


def test_a_comparison_names_what_flipped():
    true = ["lead", "lead", "praise"] * 20
    before = make_scored(true, ["lead", "abuse", "praise"] * 20)
    after = make_scored(true, ["abuse", "lead", "praise"] + ["lead", "lead", "praise"] * 19)
    found = compare(before, after)
    assert len(found.flips_of("lead", mended=True)) == 20
    assert [flip.text for flip in found.flips_of("lead", mended=False)] == ["text 0"]
    assert verdict_of("f1_lead", found.figures["f1_lead"]) == "better"
    assert verdict_of("f1_praise", found.figures["f1_praise"]) == "no sure change"


def test_less_is_better_where_it_is():
    rose = Difference(0.1, 0.2, 0.05, 0.15, 100)
    assert verdict_of("spam_sink", rose) == "worse"
    assert verdict_of("spam_caught", rose) == "better"
