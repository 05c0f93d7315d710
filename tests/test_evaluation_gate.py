"""The gate: noise refuses nobody, a real fall does, too few rows are never a pass, every reason is said."""

import numpy as np
import pytest

from configs.errors import SwitchboardError
from configs.gate import Gate, load_gate
from evaluation.behaviour.run import Failure, Outcome
from evaluation.candidate import Candidate
from evaluation.gate import Verdict, check_gate
from tests.scored import LABELS, make_scored

TRUE = list(LABELS) * 50
GATE = load_gate().model_copy(update={"max_failure_rates": {}, "max_calibration_error": 1.0})


def answers(wrong: dict[str, int], instead: str = "request", source: str = "seed", auto: bool = True) -> Candidate:
    """Return a model that gets the first so many messages of a label wrong."""
    left = dict(wrong)
    found = []
    for label in TRUE:
        miss = left.get(label, 0) > 0
        left[label] = left.get(label, 0) - 1
        found.append(instead if miss else label)
    return Candidate(make_scored(TRUE, found, source=source, auto=auto))


def states(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.state for check in verdict.checks}


def test_without_a_champion_the_floors_decide():
    assert check_gate(answers({}), None, GATE).passed
    refused = check_gate(answers(dict.fromkeys(LABELS, 45)), None, GATE)
    assert not refused.passed
    assert any(reason.startswith("macro_f1 (seed): ") and "the floor is 0.600" in reason for reason in refused.reasons)


def test_every_check_is_listed_with_both_figures():
    verdict = check_gate(answers({"lead": 1}), answers({"lead": 2}), GATE)
    names = [check.name for check in verdict.checks]
    assert names[0] == "macro_f1"
    assert {"f1_fraud", "recall_fraud", "spam_sink", "fraud_sunk", "calibration_error"} <= set(names)
    assert all(not np.isnan(check.champion) for check in verdict.checks)


def test_the_same_model_passes_against_itself():
    assert check_gate(answers({"lead": 20}), answers({"lead": 20}), GATE).passed


def test_noise_does_not_refuse():
    one_worse = check_gate(answers({"lead": 7, "abuse": 5}), answers({"lead": 6, "abuse": 6}), GATE)
    assert one_worse.passed


def test_a_label_that_falls_beyond_chance_refuses_and_is_named():
    verdict = check_gate(answers({"lead": 20}), answers({"praise": 22}), GATE)
    assert not verdict.passed
    assert states(verdict)["f1_lead"] == "fail"
    assert any(reason.startswith("f1_lead (seed): ") for reason in verdict.reasons)


def test_fraud_that_sinks_in_spam_refuses():
    verdict = check_gate(answers({"fraud": 8}, instead="spam"), None, GATE)
    assert states(verdict)["fraud_sunk"] == "fail"
    assert check_gate(answers({"fraud": 8}, instead="spam", auto=False), None, GATE).passed


def test_a_figure_beyond_its_limit_refuses_only_where_it_got_worse():
    bad = {"fraud": 8}
    assert check_gate(answers(bad, instead="spam"), answers(bad, instead="spam"), GATE).passed
    better = check_gate(answers({"fraud": 6}, instead="spam"), answers({"fraud": 9}, instead="spam"), GATE)
    assert better.passed
    worse = check_gate(answers({"fraud": 9}, instead="spam"), answers({"fraud": 8}, instead="spam"), GATE)
    assert states(worse)["fraud_sunk"] == "fail"


def test_too_few_rows_are_insufficient_and_never_a_pass():
    few = Candidate(make_scored(list(LABELS) * 5, list(LABELS) * 5))
    verdict = check_gate(few, None, GATE)
    assert not verdict.passed
    assert states(verdict)["f1_lead"] == "insufficient_evidence"
    assert any("insufficient_evidence, 5 rows, 30 are needed" in reason for reason in verdict.reasons)


def both(customer_wrong: int) -> Candidate:
    """Return a model perfect on 200 seed rows that gets some of 200 customer rows wrong."""
    seed = make_scored(TRUE[:200], TRUE[:200])
    wrong = ["praise" if i < customer_wrong and one != "praise" else one for i, one in enumerate(TRUE[200:])]
    joined = make_scored(TRUE, [*TRUE[:200], *wrong])
    rows = [*seed.rows, *make_scored(TRUE[200:], wrong, source="crm").rows]
    return Candidate(type(joined)(rows, LABELS, joined.predictions, joined.judgements))


def test_seed_and_customer_rows_are_checked_apart():
    verdict = check_gate(both(0), both(0), GATE)
    assert {check.part for check in verdict.checks} == {"seed", "customer"}


def test_from_enough_randomly_drawn_customer_rows_on_those_decide():
    gate = GATE.model_copy(update={"min_rows": 20})
    drawn = np.arange(len(TRUE)) >= 200
    by_customer = check_gate(both(150), both(0), gate, drawn)
    assert by_customer.decided_by == "customer" and not by_customer.passed
    by_seed = check_gate(both(150), both(0), gate)
    assert by_seed.decided_by == "seed" and by_seed.passed
    few = gate.model_copy(update={"min_customer_rows": 201})
    assert check_gate(both(150), both(0), few, drawn).decided_by == "seed"


def outcome(failed: int, checks: int = 60) -> Outcome:
    return Outcome("typos", "invariance", "", checks, tuple(Failure(f"t{i}", "p", "", "") for i in range(failed)))


def behaving(failed: int, checks: int = 60) -> Candidate:
    return Candidate(answers({}).scored, [outcome(failed, checks)])


def test_behaviour_has_limits_and_is_compared_case_by_case():
    gate = GATE.model_copy(update={"max_failure_rates": {"typos": 0.25}})
    assert check_gate(behaving(10), None, gate).passed
    assert states(check_gate(behaving(20), None, gate))["behaviour_typos"] == "fail"
    assert check_gate(behaving(3), behaving(1), gate).passed  # two more of sixty is chance
    assert states(check_gate(behaving(14), behaving(1), gate))["behaviour_typos"] == "fail"
    assert states(check_gate(behaving(0, 10), None, gate))["behaviour_typos"] == "insufficient_evidence"


def test_a_suite_that_was_not_run_is_insufficient():
    gate = GATE.model_copy(update={"max_failure_rates": {"typos": 0.25}})
    assert not check_gate(answers({}), None, gate).passed


def test_the_shipped_gate_is_whole_and_a_rate_beyond_one_is_refused(tmp_path):
    text = load_gate().model_dump() | {"max_failure_rates": {"typos": 1.5}}
    with pytest.raises(ValueError, match="typos"):
        Gate(**text)
    (tmp_path / "gate.yaml").write_text("min_macro_f2: 0.6\n")
    with pytest.raises(SwitchboardError):
        load_gate(tmp_path / "gate.yaml")
