from datetime import UTC, datetime

import pytest

from configs.errors import SwitchboardError
from configs.loading import parse_config
from configs.playbook import Playbook, load_playbook
from configs.taxonomy import load_taxonomy
from data.messages import Message
from serving.explain import explain
from serving.facts import CallerFacts, holds_any
from serving.routing import decide_route
from training.policy import Judgement

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def sure(label: str) -> Judgement:
    return Judgement(label, 0.99, "auto", None, 0.0)


def unsure(label: str, reason="low_confidence") -> Judgement:
    return Judgement(label, 0.3, "review", reason, 0.0)


def verdict(judgement: Judgement, text: str = "hello there", channel: str = "", received=NOON, **facts):
    return decide_route(judgement, Message(text, "m", channel=channel), CallerFacts(**facts), load_playbook(), received)


@pytest.mark.parametrize(("label", "team", "within"), [
    ("spam", "nobody", None), ("request", "technical", 3600), ("question", "support", 14400), ("abuse", "PR", 28800),
    ("praise", "marketing", 86400), ("lead", "sales", 7200), ("suggestion", "product management", 172800),
    ("fraud", "legal", 1800),
])  # fmt: skip
def test_each_segment_has_its_team_and_time(label, team, within):
    route = verdict(sure(label)).route
    assert (route.team, route.respond_within_s, route.rules) == (team, within, ())


def test_what_is_unsure_goes_to_the_switchboard_and_what_is_none_of_ours_off_the_queue():
    assert verdict(unsure("spam")).route.team == "switchboard"
    assert verdict(unsure("request", "out_of_scope")).route.team == "no_reply_expected"


def test_a_public_post_is_due_sooner_than_a_forum_thread():
    public, forum = (verdict(sure("question"), channel=channel).route.due for channel in ("Twitter", "forum"))
    assert public < forum


@pytest.mark.parametrize(("judgement", "fields", "rule", "key", "value"), [
    (sure("request"), {"reach": 80_000}, "wide_reach", "respond_within_s", 1800),
    (sure("question"), {"customer_tier": "VIP"}, "valued_customer", "tier", 3),
    (sure("abuse"), {"text": "I'll ask my Solicitor"}, "legal_words", "next_best_action", "inform_legal"),
    (sure("abuse"), {"text": "I am leaving you, cancel my contract"}, "leaving", "team", "retention"),
    (sure("request"), {"text": "write to me@home.example"}, "personal_data", "next_best_action", "move_to_private_channel"),
    (unsure("lead"), {"text": "call 07700 900123"}, "personal_data", "team", "switchboard"),
    (sure("spam"), {"text": "there is a bomb on the plane"}, "threat", "priority", "urgent"),
])  # fmt: skip
def test_a_rule_applies_to_its_facts_and_is_named(judgement, fields, rule, key, value):
    found = verdict(judgement, **fields)
    assert rule in found.route.rules
    assert getattr(found.route, key) == value


@pytest.mark.parametrize(
    "fields", [{"reach": 10}, {"customer_tier": "basic"}, {"text": "no issue, a pursuit of lawyerly words"}]
)
def test_a_rule_whose_facts_do_not_hold_is_not_named(fields):
    assert verdict(sure("request"), **fields).route.rules == ()


def test_a_rule_may_ask_a_person_first():
    threat = verdict(sure("request"), "it caught fire in my hand")
    assert (threat.outcome, threat.reason, threat.route.next_best_action) == ("review", "rule", "escalate_to_person")
    assert verdict(sure("praise"), sentiment="Negative").outcome == "review"


def test_a_threat_reaches_a_person_though_it_belongs_nowhere():
    threat = verdict(unsure("request", "out_of_scope"), "I want to die")
    assert (threat.outcome, threat.reason, threat.route.team) == ("review", "rule", "switchboard")


@pytest.mark.parametrize(
    "text", ["write to me@home.example", "I am leaving you", "my lawyer will call", "gas leak here"]
)
@pytest.mark.parametrize(
    "facts", [{"reach": 90_000}, {"customer_tier": "vip"}, {"reach": 90_000, "customer_tier": "vip"}]
)
@pytest.mark.parametrize("label", load_taxonomy().labels)
def test_no_fact_makes_a_grave_case_less_grave(label, facts, text):
    grave = ("none", "low", "normal", "high", "urgent")
    both = verdict(sure(label), text, **facts).route
    for less in (verdict(sure(label)), verdict(sure(label), text), verdict(sure(label), **facts)):
        assert both.tier >= less.route.tier and grave.index(both.priority) >= grave.index(less.route.priority)


def test_later_rules_win():
    route = verdict(sure("request"), "cancel my contract, my mail is a@b.example").route
    assert route.rules == ("leaving", "personal_data")
    assert (route.team, route.next_best_action) == ("retention", "move_to_private_channel")


def test_the_due_time_counts_from_the_message_else_from_its_receipt():
    written = Message("hi", "m", time=datetime(2026, 1, 1))
    assert decide_route(sure("fraud"), written, CallerFacts(), load_playbook(), NOON).route.due == datetime(
        2026, 1, 1, 0, 30, tzinfo=UTC
    )
    assert verdict(sure("fraud")).route.due == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    assert verdict(sure("fraud"), received=None).route.due is None
    assert verdict(sure("fraud"), received=datetime.max.replace(tzinfo=UTC)).route.due is None


@pytest.mark.parametrize(("text", "found"), [
    ("card 4111 1111 1111 1111", True), ("order 4111111111111112", False), ("GB29 NWBK 6016 1331 9268 19", True),
    ("+44 20 7946 0958", True), ("dial 07700-900-123", True), ("@maple it costs £20 at 10:30", False), ("order 20417 is late", False),
])  # fmt: skip
def test_personal_data_is_told_from_other_numbers(text, found):
    assert holds_any(["personal_data"], text) is found


@pytest.mark.parametrize(
    "text", ["this app is killing me lol", "You guys are on fire!", "dying to try it", "the queue moves at last"]
)
def test_figures_of_speech_are_no_threats(text):
    assert not holds_any(["threat", "leaving"], text)


@pytest.mark.parametrize(
    "text", ["I am leaving @MapleMobile today", "I'm done with @Maple_UK", "switching to @OtherTelco"]
)
def test_who_leaves_is_heard_by_the_real_handle(text):
    assert holds_any(["leaving"], text)


@pytest.mark.parametrize("text", ["the charger's on fire", "my phone caught fire", "house on fire"])
def test_a_fire_is_a_threat(text):
    assert holds_any(["threat"], text)


@pytest.mark.parametrize("keyword", ["won't pay", "won’t pay"])
@pytest.mark.parametrize("text", ["I won't pay this", "I won’t pay this", "I WON‘T PAY"])
def test_an_apostrophe_is_one_whether_straight_or_curly(keyword, text):
    values = {**load_playbook().model_dump(), "rules": [{"name": "a", "when": {"keywords": [keyword]}, "then": {}}]}
    playbook = parse_config(Playbook, values, "playbook.yaml")
    found = decide_route(sure("request"), Message(text, "m"), CallerFacts(), playbook, NOON)
    assert found.route.rules == ("a",)


@pytest.mark.parametrize("apostrophe", "'’‘")
def test_who_says_we_are_leaving_is_heard_with_any_apostrophe(apostrophe):
    assert holds_any(["leaving"], f"we{apostrophe}re done with you")


def test_an_explanation_names_every_rule_and_what_it_lacked():
    message = Message("cancel my contract", "m", channel="twitter")
    steps, found = explain(sure("abuse"), message, CallerFacts(), load_playbook())
    said = {step.name: step for step in steps}
    assert said["rule leaving"].applied and not said["rule threat"].applied
    assert "min_reach" in said["rule wide_reach"].because
    assert said["channel twitter, abuse"].applied
    assert found.route.team == "retention"


@pytest.mark.parametrize(("change", "said"), [
    ({"channels": {"twitter": {"requests": {}}}}, "unknown segment 'requests'"),
    ({"rules": [{"name": "a", "when": {"labels": ["none"]}, "then": {}}]}, "unknown label 'none'"),
    ({"rules": [{"name": "a", "when": {}, "then": {}}]}, "`when` is empty"),
    ({"rules": [{"name": "a", "when": {"min_reach": 1}, "then": {}}] * 2}, "stands twice"),
    ({"rules": [{"name": "a", "when": {"keyword": ["x"]}, "then": {}}]}, "did you mean 'keywords'"),
])  # fmt: skip
def test_a_wrong_playbook_is_refused_in_one_line(change, said):
    values = {**load_playbook().model_dump(), **change}
    with pytest.raises(SwitchboardError, match=said):
        parse_config(Playbook, values, "playbook.yaml")
