"""Behaviour suites: the cases are whole, and a failure is what it says."""

import re
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from configs.gate import load_gate
from data.corpus import read_corpus
from evaluation.behaviour.cases import Suite, load_suites
from evaluation.behaviour.run import RULES, failure_rates, run_suites
from training.predictor import Predictor

GATED = [suite for suite in load_suites() if suite.kind != "minimum"]


@pytest.fixture(scope="module")
def tiny(tiny_bundle: Path) -> Predictor:
    return Predictor(tiny_bundle, threads=1)


def bare(text: str) -> str:
    return re.sub(r"[^a-z]+", " ", text.lower()).strip()


def test_no_case_stands_in_the_corpus_that_models_learn_from():
    seed = {bare(row.text) for row in read_corpus() if row.label != "none"}
    cases = {text for suite in load_suites() for forms in suite.forms() for text in forms}
    assert not [text for text in cases if bare(text) and bare(text) in seed]


def test_every_suite_has_a_name_of_its_own_and_every_rule_six_cases():
    names = [suite.name for suite in load_suites()]
    assert len(set(names)) == len(names)
    for suite in load_suites():
        if suite.kind == "minimum":
            assert len(set(suite.texts)) == len(suite.texts) >= 6, suite.name


def test_every_suite_has_checks_enough_for_the_gate_and_a_limit_there():
    assert set(load_gate().max_failure_rates) == {RULES, *(suite.name for suite in GATED)}
    for suite in GATED:
        assert sum(len(forms) - 1 for forms in suite.forms()) >= load_gate().min_rows, suite.name


def test_every_label_is_expected_by_some_rule():
    from configs.taxonomy import load_taxonomy

    assert set(load_taxonomy().labels) <= {label for suite in load_suites() for label in suite.expect}


def test_all_shipped_suites_run_on_any_predictor(tiny: Predictor):
    rates = failure_rates(run_suites(tiny))
    assert set(rates) == set(load_gate().max_failure_rates)
    assert all(0 <= rate <= 1 and checks for rate, checks in rates.values())


def test_minimum_names_what_was_wanted_and_found(tiny: Predictor):
    suite = Suite(name="m", kind="minimum", says="", expect=("fraud",), texts=("scam phishing", "thanks great"))
    (outcome,) = run_suites(tiny, [suite])
    assert outcome.rate == 0.5
    assert outcome.failures[0].text == "thanks great"
    assert outcome.failures[0].wanted == "fraud"
    assert outcome.failures[0].found.startswith("praise")


def test_review_is_right_where_nobody_should_act_alone(tiny: Predictor):
    suite = Suite(name="m", kind="minimum", says="", expect=("review",), texts=("whatever idk", "thanks great love"))
    (outcome,) = run_suites(tiny, [suite])
    assert [one.text for one in outcome.failures] == ["thanks great love"]


def test_invariance_fails_where_the_label_changes(tiny: Predictor):
    pairs = (("thanks love", "THANKS LOVE", "thnks scam"),)
    (outcome,) = run_suites(tiny, [Suite(name="i", kind="invariance", says="", pairs=pairs)])
    assert outcome.checks == 2
    assert [one.text for one in outcome.failures] == ["thnks scam"]


def test_fairness_also_fails_where_only_the_score_moves(tiny: Predictor):
    pairs = (("thanks love", "thanks xx"),)
    loose = Suite(name="f", kind="fairness", says="", pairs=pairs)
    strict = loose.model_copy(update={"max_shift": 0.05})
    assert [one.rate for one in run_suites(tiny, [loose, strict])] == [0.0, 1.0]


def test_direction_fails_where_the_score_does_not_rise(tiny: Predictor):
    suite = Suite(name="d", kind="direction", says="", toward="abuse", texts=("when open",),
                  frames=("{text}", "{text} pathetic", "{text} thanks"))  # fmt: skip
    (outcome,) = run_suites(tiny, [suite])
    assert [one.text for one in outcome.failures] == ["when open thanks"]


def test_a_suite_without_its_parts_is_refused():
    with pytest.raises(ValueError, match="toward"):
        Suite(name="d", kind="direction", says="", texts=("a",))
    with pytest.raises(ValueError, match="no label is called"):
        Suite(name="m", kind="minimum", says="", expect=("spma",), texts=("a",))


def test_a_misspelt_key_is_named(tmp_path: Path):
    (tmp_path / "x.yaml").write_text("suites:\n  - {name: a, kind: invariance, says: b, textz: [c]}\n")
    with pytest.raises(SwitchboardError, match="did you mean 'texts'"):
        load_suites(tmp_path)
