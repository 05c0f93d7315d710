"""The playbook applied: who answers a message, how soon and how, and which rules said so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from configs.playbook import Facts, Overrides, Playbook, Priority, Route, Rule
from data.messages import Message
from serving.facts import CallerFacts, detect
from training.policy import Judgement, Outcome, Reason

RouteReason = Reason | Literal["rule"]
ANY, REVIEW, OUT_OF_SCOPE = "any", "review", "out_of_scope"


@dataclass(frozen=True, slots=True)
class Routed:
    """Where one message goes; `due` is known if the message's time is, `rules` are the names of those that applied."""

    team: str
    tier: int
    priority: Priority
    respond_within_s: int | None
    due: datetime | None
    guidance: str
    next_best_action: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome after the rules, which may send a message to review, and its route."""

    outcome: Outcome
    reason: RouteReason | None
    route: Routed


def decide_route(
    judgement: Judgement, message: Message, facts: CallerFacts, playbook: Playbook, received: datetime | None
) -> Verdict:
    """Return the verdict on a judged message; its due time counts from the message's time, else from `received`."""
    rules = applicable_rules(judgement, message, facts, playbook)
    outcome, reason = _outcome(judgement, rules)
    route = _base_route(judgement.label, outcome, reason, playbook)
    overrides = list(_channel_overrides(judgement.label, outcome, reason, message.channel, playbook))
    route = override(route, [*overrides, *(rule.then for rule in rules)])
    due = _due(route, message.time or received)
    routed = Routed(
        route.team, route.tier, route.priority, route.respond_within_s, due, route.guidance, route.next_best_action,
        tuple(rule.name for rule in rules),
    )  # fmt: skip
    return Verdict(outcome, reason, routed)


def applicable_rules(judgement: Judgement, message: Message, facts: CallerFacts, playbook: Playbook) -> list[Rule]:
    """Return the rules whose facts all hold; one that names labels holds only of `auto`, since else no label is sure."""
    detected = detect(message) if any(rule.when.detected for rule in playbook.rules) else frozenset()
    text = message.text.lower()
    return [rule for rule in playbook.rules if _holds(rule.when, judgement, message, facts, detected, text)]


def override(route: Route, overrides: Iterable[Overrides]) -> Route:
    """Return the route with each override applied in turn; later ones win."""
    for change in overrides:
        route = route.model_copy(update=change.model_dump(exclude_none=True))
    return route


def _outcome(judgement: Judgement, rules: list[Rule]) -> tuple[Outcome, RouteReason | None]:
    if judgement.outcome == "auto" and any(rule.review for rule in rules):
        return "review", "rule"
    return judgement.outcome, judgement.reason


def _base_route(label: str, outcome: Outcome, reason: RouteReason | None, playbook: Playbook) -> Route:
    if outcome == "auto":
        return playbook.segments[label]
    return playbook.out_of_scope if reason == OUT_OF_SCOPE else playbook.review


def _channel_overrides(
    label: str, outcome: Outcome, reason: RouteReason | None, channel: str, playbook: Playbook
) -> Iterable[Overrides]:
    by_segment = playbook.channels.get(channel.lower(), {})
    segment = label if outcome == "auto" else OUT_OF_SCOPE if reason == OUT_OF_SCOPE else REVIEW
    return (by_segment[key] for key in (ANY, segment) if key in by_segment)


def _holds(
    when: Facts, judgement: Judgement, message: Message, facts: CallerFacts, detected: frozenset[str], text: str
) -> bool:
    return (
        (not when.labels or (judgement.outcome == "auto" and judgement.label in when.labels))
        and (not when.channels or message.channel.lower() in when.channels)
        and (when.min_reach is None or (facts.reach is not None and facts.reach >= when.min_reach))
        and (not when.customer_tiers or facts.customer_tier.lower() in when.customer_tiers)
        and (not when.sentiments or facts.sentiment.lower() in when.sentiments)
        and (not when.detected or not detected.isdisjoint(when.detected))
        and (not when.keywords or any(keyword.lower() in text for keyword in when.keywords))
    )


def _due(route: Route, start: datetime | None) -> datetime | None:
    if start is None or route.respond_within_s is None:
        return None
    return start + timedelta(seconds=route.respond_within_s)
