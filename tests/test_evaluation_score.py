"""A model's answers become figures: by hand, and on the tiny bundle end to end."""

from pathlib import Path

import numpy as np
import pytest

from data.messages import LabelledMessage, Message
from evaluation.intervals import differences, intervals, wilson
from evaluation.score import figures, headline, score
from tests.scored import LABELS, make_scored
from training.predictor import Predictor


def labelled(text: str, label: str, second: tuple[str, ...] = ()) -> LabelledMessage:
    return LabelledMessage(Message(text, text), label, second)


def test_a_predictor_is_scored_end_to_end(tiny_bundle: Path):
    rows = [labelled("scam phishing fake", "fraud"), labelled("broken router refund", "request"),
            labelled("whatever idk", "none")]  # fmt: skip
    found = figures(score(Predictor(tiny_bundle, threads=1), rows))
    assert found["accuracy"] == 1.0
    assert found["recall_fraud"] == found["recall_request"] == 1.0
    assert found["doubt_auroc"] == 1.0


def test_what_belongs_nowhere_counts_in_no_eight_way_figure():
    with_none = make_scored(["praise", "none"], ["praise", "spam"])
    assert figures(with_none)["accuracy"] == 1.0
    assert np.isnan(figures(with_none)["precision_spam"]), "what belongs nowhere was called spam, and does not count"


def test_labels_without_a_row_say_nothing_of_the_others():
    values = figures(make_scored(["praise", "abuse", "praise"], ["praise", "abuse", "praise"]))
    assert values["macro_f1"] == values["macro_f1_lenient"] == values["f1_abuse"] == 1.0
    assert np.isnan(values["f1_fraud"]) and np.isnan(values["recall_fraud"]) and np.isnan(values["precision_fraud"])
    called = figures(make_scored(["praise", "abuse"], ["praise", "fraud"]))
    assert called["precision_fraud"] == 0.0 and np.isnan(called["f1_fraud"]) and called["macro_f1"] == 0.5


def test_automation_by_hand():
    true = ["spam", "spam", "fraud", "praise", "none", "abuse"]
    found = ["spam", "spam", "spam", "spam", "spam", "abuse"]
    values = figures(make_scored(true, found, auto=[True, False, True, False, True, True]))
    assert values["spam_caught"] == 0.5
    assert values["spam_sink"] == pytest.approx(1 / 3)  # the fraud, of fraud, praise and abuse
    assert values["fraud_sunk"] == 1.0
    assert values["auto_share"] == pytest.approx(4 / 6)
    assert values["auto_precision"] == pytest.approx(2 / 4)  # spam and abuse right; fraud and none wrong


def test_lenient_forgives_what_an_annotator_found_defensible():
    strict = figures(make_scored(["abuse", "request"], ["request", "request"], second=[("request",), ()]))
    assert strict["macro_f1_lenient"] > strict["macro_f1"]


def test_figures_without_evidence_are_not_numbers():
    values = figures(make_scored(["praise"] * 3, ["praise"] * 3))
    assert np.isnan(values["fraud_sunk"]) and np.isnan(values["spam_caught"]) and np.isnan(values["doubt_auroc"])


def test_where_nothing_has_a_label_quality_is_not_a_number():
    values = figures(make_scored(["none"] * 3, ["praise"] * 3))
    names = ("macro_f1", "macro_f1_lenient", "accuracy", "calibration_error", "brier", "coverage_at_95")
    assert all(np.isnan(values[name]) for name in names) and values["auto_share"] == values["auto_share"]


def test_every_figure_has_an_interval_that_holds_it():
    scored = make_scored(list(LABELS) * 10, [*LABELS[1:], LABELS[0]] * 3 + list(LABELS) * 7)
    named = intervals(scored.answers(), LABELS, resamples=200)
    assert set(named) == set(figures(scored))
    for name, one in named.items():
        if one.value == one.value and not name.startswith(("calibration", "coverage")):
            assert one.low <= one.value <= one.high, name
    assert headline(scored)["f1_fraud"].support == 10


def test_the_same_model_differs_from_itself_by_nothing():
    answers = make_scored(list(LABELS) * 5, [*LABELS[1:], LABELS[0]] + list(LABELS) * 4).answers()
    for one in differences(answers, answers, LABELS, resamples=50).values():
        assert one.change == 0 or np.isnan(one.change)
        assert not one.certain


def test_a_paired_interval_is_narrower_than_two_single_ones():
    true = list(LABELS) * 30
    rng = np.random.default_rng(3)
    hard = rng.uniform(size=len(true)) < 0.3  # both models fail on these
    before = [LABELS[0] if bad else label for bad, label in zip(hard, true, strict=True)]
    after = list(before)
    after[1] = true[1]
    a, b = make_scored(true, before).answers(), make_scored(true, after).answers()
    paired = differences(a, b, LABELS, resamples=200)["accuracy"]
    alone = intervals(a, LABELS, resamples=200)["accuracy"]
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)


def test_different_messages_are_not_compared():
    with pytest.raises(ValueError, match="same messages"):
        differences(make_scored(["spam"], ["spam"]).answers(), make_scored(["abuse"], ["spam"]).answers(), LABELS)


def test_wilson_by_hand():
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_the_interval_of_a_small_calibration_error_holds_it():
    true = list(LABELS) * 75
    found = [label if at % 4 else LABELS[LABELS.index(label) - 1] for at, label in enumerate(true)]
    error = intervals(make_scored(true, found, 0.74).answers(), LABELS, resamples=200)["calibration_error"]
    assert error.value == pytest.approx(0.01), "three of four are right in each bin"
    assert error.low <= error.value < error.high < 0.06
