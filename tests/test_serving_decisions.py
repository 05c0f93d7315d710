from pathlib import Path

import pytest

from configs.playbook import load_playbook
from data.messages import Message
from serving.decisions import Decider
from training.predictor import Predictor


@pytest.fixture(scope="module")
def decider(tiny_bundle: Path) -> Decider:
    return Decider(Predictor(tiny_bundle, threads=1), load_playbook())


def decide(decider: Decider, text: str):
    return decider.decide([Message(text, "m1")])[0]


def test_a_clear_message_goes_to_its_team_by_itself(decider):
    decision = decide(decider, "my router is broken, order a refund")
    assert (decision.label, decision.outcome, decision.reason) == ("request", "auto", None)
    assert (decision.route.team, decision.route.respond_within_s) == ("technical", 3600)


def test_scores_cover_the_taxonomy_and_sum_to_one(decider):
    decision = decide(decider, "thanks, love it")
    assert tuple(decision.scores) == decider.predictor.info.labels
    assert sum(decision.scores.values()) == pytest.approx(1)
    assert decision.confidence == max(decision.scores.values())


def test_an_unsure_message_goes_to_the_switchboard_with_three_labels(decider):
    decision = decide(decider, "broken thanks scam and nothing else to go by")
    assert (decision.outcome, decision.reason) == ("review", "low_confidence")
    assert decision.route.team == "switchboard"
    assert set(decision.top) == {"request", "praise", "fraud"}


def test_spam_below_its_threshold_is_never_taken_out_of_the_queue(decider):
    decision = decide(decider, "win thanks, broken")
    assert decision.outcome == "review"
    assert decision.route.team == "switchboard"


def test_a_message_that_belongs_nowhere_owes_no_reply(decider):
    decision = decide(decider, "idk whatever done broken")
    assert (decision.reason, decision.route.team) == ("out_of_scope", "no_reply_expected")


@pytest.mark.parametrize(
    ("text", "reason"), [("https://t.co/x @you", "empty"), ("ваш роутер не работает", "unsupported_language")]
)
def test_what_the_model_cannot_read_goes_to_a_person(decider, text, reason):
    assert decide(decider, text).reason == reason


def test_order_and_number_of_messages_are_kept(decider):
    messages = [Message(f"{'broken ' * (n % 5 + 1)}router", f"m{n}") for n in range(40)]
    assert [decision.id for decision in decider.decide(messages)] == [message.id for message in messages]
