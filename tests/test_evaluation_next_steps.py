"""What to do next is said from counts, from doubtful rows, and from the learning curve."""

import numpy as np
import pytest

from evaluation.intervals import intervals
from evaluation.learning_curve import Curve, Point, fit_curve
from evaluation.next_steps import advise, lacking, suspects
from tests.scored import LABELS, make_scored


def named(scored):
    return intervals(scored.answers(), LABELS, resamples=20)


def test_a_curve_is_found_again_from_its_points():
    curve = Curve(0.85, 1.2, 0.4)
    found = fit_curve([Point(n, curve.at(n)) for n in (50, 100, 200, 400, 800, 1600)])
    assert found is not None
    assert found.at(3200) == pytest.approx(curve.at(3200), abs=0.01)


def test_points_that_are_few_or_do_not_rise_make_no_curve():
    assert fit_curve([Point(10, 0.5), Point(20, 0.6)]) is None
    assert fit_curve([Point(10, 0.7), Point(20, 0.6), Point(40, 0.5)]) is None
    assert fit_curve([Point(10, 0.7), Point(20, 0.7), Point(40, 0.7)]) is None


def test_a_flat_curve_asks_for_nothing_and_a_steep_one_for_much():
    assert Curve(0.8, 0.01, 1.0).worth_asking(1000) == 0
    steep = Curve(0.9, 3.0, 0.4)
    asked = steep.worth_asking(200)
    assert asked > 0 and steep.gain(200, asked) >= 0.01


def test_the_weakest_label_comes_first_with_its_reasons():
    true = list(LABELS) * 60
    found = ["spam" if label == "lead" and i % 2 else label for i, label in enumerate(true)]
    scored = make_scored(true, found)
    lacks = lacking(LABELS, named(scored), dict.fromkeys(LABELS, 500) | {"fraud": 20})
    assert [one.label for one in lacks] == ["lead", "fraud"] or lacks[-1].label == "fraud"
    assert "only 20 training rows" in next(one.why for one in lacks if one.label == "fraud")


def test_a_mislabelled_row_is_suspected_and_a_defensible_one_is_not():
    rng = np.random.default_rng(0)
    true = [LABELS[i] for i in rng.integers(0, 8, 400)]
    found, second = list(true), [()] * 400
    true[5], true[6] = "praise", "praise"
    found[5], found[6] = "fraud", "abuse"
    second[6] = ("abuse",)
    suspected = suspects(make_scored(true, found, 0.97, second=second))
    assert [one.id for one in suspected] == ["t-5"]
    assert (suspected[0].label, suspected[0].model_says) == ("praise", "fraud")


def test_defensible_rows_take_no_suspect_s_place():
    true = list(LABELS) * 50
    found, second = list(true), [()] * 400
    for at in range(25):
        true[at], found[at], second[at] = "praise", "abuse", ("abuse",)
    true[30], found[30] = "praise", "fraud"
    assert [one.id for one in suspects(make_scored(true, found, 0.97, second=second))] == ["t-30"]


def test_without_every_label_nothing_is_suspected():
    assert suspects(make_scored(["praise"] * 5, ["abuse"] * 5)) == []


def test_advice_is_one_line_each_and_never_empty():
    good = make_scored(list(LABELS) * 60, list(LABELS) * 60)
    assert advise(good, named(good)).lines == ("No label lacks data and no row looks mislabelled.",)
    few = make_scored(list(LABELS) * 5, list(LABELS) * 5)
    lines = advise(few, named(few), curve=Curve(0.9, 3.0, 0.4), rows=200).lines
    assert lines[0].startswith("Label more") and "worth asking for, spam, request and question first" in lines[-1]
