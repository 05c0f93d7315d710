"""The playbook applied: who answers a message, how soon and how, and which rules said so."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal

from configs.playbook import ANY, OUT_OF_SCOPE, REVIEW, Facts, Overrides, Playbook, Priority, Route, Rule
from data.messages import Message
from serving.facts import CallerFacts, holds_any, straight
from training.policy import Judgement, Outcome, Reason

RouteReason = Reason | Literal["rule"]


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
    segment = segment_of(judgement.label, outcome, reason)
    by_channel = channel_overrides(segment, message.channel, playbook)
    route = override(_base_route(segment, playbook), [*by_channel.values(), *(rule.then for rule in rules)])
    due = _due(route, message.time or received)
    routed = Routed(
        route.team, route.tier, route.priority, route.respond_within_s, due, route.guidance, route.next_best_action,
        tuple(rule.name for rule in rules),
    )  # fmt: skip
    return Verdict(outcome, reason, routed)


def applicable_rules(judgement: Judgement, message: Message, facts: CallerFacts, playbook: Playbook) -> list[Rule]:
    """Return the rules whose facts all hold, in order."""
    return [rule for rule in playbook.rules if not unmet(rule.when, judgement, message, facts)]


def unmet(when: Facts, judgement: Judgement, message: Message, facts: CallerFacts) -> str:
    """Return the name of the first fact that does not hold, or nothing if all do."""
    segment = segment_of(judgement.label, judgement.outcome, judgement.reason)
    if when.labels and segment not in when.labels:
        return "labels"
    if when.channels and message.channel.lower() not in when.channels:
        return "channels"
    if when.min_reach is not None and (facts.reach is None or facts.reach < when.min_reach):
        return "min_reach"
    if when.customer_tiers and facts.customer_tier.lower() not in when.customer_tiers:
        return "customer_tiers"
    if when.sentiments and facts.sentiment.lower() not in when.sentiments:
        return "sentiments"
    if when.keywords and not _keyword_pattern(when.keywords).search(straight(message.text)):
        return "keywords"
    return "detected" if when.detected and not holds_any(when.detected, message.text) else ""


def segment_of(label: str, outcome: Outcome, reason: RouteReason | None) -> str:
    """Return what the playbook calls a judged message: its label if that is sure, else why it is not."""
    if outcome == "auto":
        return label
    return OUT_OF_SCOPE if reason == OUT_OF_SCOPE else REVIEW


def channel_overrides(segment: str, channel: str, playbook: Playbook) -> dict[str, Overrides]:
    """Return what the channel changes for a segment, the general before the particular."""
    by_segment = playbook.channels.get(channel.lower(), {})
    return {key: by_segment[key] for key in (ANY, segment) if key in by_segment}


@cache
def _keyword_pattern(keywords: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(straight(word)) for word in keywords)})(?!\w)", re.I)


def override(route: Route, overrides: Iterable[Overrides]) -> Route:
    """Return the route with each override applied in turn; later ones win."""
    for change in overrides:
        route = route.model_copy(update=change.model_dump(exclude_none=True))
    return route


def _outcome(judgement: Judgement, rules: list[Rule]) -> tuple[Outcome, RouteReason | None]:
    sure = judgement.outcome == "auto" or judgement.reason == OUT_OF_SCOPE  # that it needs nobody
    if sure and any(rule.review for rule in rules):
        return "review", "rule"
    return judgement.outcome, judgement.reason


def _base_route(segment: str, playbook: Playbook) -> Route:
    if segment == REVIEW:
        return playbook.review
    return playbook.out_of_scope if segment == OUT_OF_SCOPE else playbook.segments[segment]


def _due(route: Route, start: datetime | None) -> datetime | None:
    if start is None or route.respond_within_s is None:
        return None
    try:
        return (start if start.tzinfo else start.replace(tzinfo=UTC)) + timedelta(seconds=route.respond_within_s)
    except OverflowError:  # a time at the end of the calendar
        return None
