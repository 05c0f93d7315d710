"""A prediction as a router gets it; batch classification and the service decide by these same lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from configs.playbook import Playbook
from data.clean import clean
from data.messages import Message
from serving.facts import NO_FACTS, CallerFacts
from serving.routing import Routed, RouteReason, decide_route
from training.policy import Judgement, Outcome, judge
from training.predictor import Predictor

TOP = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of one cleaned text; it holds for every message that reads the same."""

    scores: np.ndarray
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Decision:
    """Label, calibrated confidence and scores of one message, whether to act on it by itself, and its route."""

    id: str
    label: str
    confidence: float
    scores: dict[str, float]
    outcome: Outcome
    reason: RouteReason | None
    top: tuple[str, ...]
    route: Routed
    doubt: float

    def as_row(self) -> dict[str, Any]:
        """Return the decision as the fields that files and answers carry, in their order."""
        return {
            "id": self.id,
            "label": self.label,
            "confidence": self.confidence,
            "scores": self.scores,
            "decision": self.outcome,
            "reason": self.reason,
            "top": self.top,
            "route": _route_row(self.route),
        }


class Decider:
    """A predictor and a playbook, turned into decisions."""

    def __init__(self, predictor: Predictor, playbook: Playbook) -> None:
        self.predictor = predictor
        self.playbook = playbook

    def decide(self, messages: Sequence[Message], facts: Sequence[CallerFacts] = ()) -> list[Decision]:
        """Return one decision a message, in order; `facts` is empty or has one entry a message."""
        scored = self.score([self.clean(message.text) for message in messages])
        known = facts or [NO_FACTS] * len(messages)
        return [self.route(one, message, fact) for one, message, fact in zip(scored, messages, known, strict=True)]

    def clean(self, text: str) -> str:
        """Return `text` as the model reads it."""
        return clean(text, self.predictor.company)

    def score(self, cleaned: Sequence[str]) -> list[Scored]:
        """Return what the model says of each cleaned text."""
        return list(self.judge(cleaned, self.predictor.encode(cleaned)))

    def judge(self, cleaned: Sequence[str], tokens: Sequence[Sequence[int]]) -> Iterator[Scored]:
        """Yield what the model says of each cleaned text, given its token ids."""
        found = self.predictor.predict_tokens(tokens)
        for text, scores, doubt in zip(cleaned, found.scores, found.doubt, strict=True):
            yield Scored(scores, judge(text, scores, float(doubt), self.predictor.info))

    def route(
        self, scored: Scored, message: Message, facts: CallerFacts = NO_FACTS, received: datetime | None = None
    ) -> Decision:
        """Return the decision on a scored message: where it goes, and until when if its time is known."""
        judgement, labels = scored.judgement, self.predictor.info.labels
        verdict = decide_route(judgement, message, facts, self.playbook, received)
        best = np.argsort(-scored.scores, kind="stable")[:TOP]
        return Decision(
            message.id, judgement.label, judgement.confidence, dict(zip(labels, scored.scores.tolist(), strict=True)),
            verdict.outcome, verdict.reason, tuple(labels[position] for position in best), verdict.route,
            judgement.doubt,
        )  # fmt: skip


def _route_row(route: Routed) -> dict[str, Any]:
    return {
        "team": route.team,
        "tier": route.tier,
        "priority": route.priority,
        "respond_within_s": route.respond_within_s,
        "due": route.due.isoformat() if route.due else None,
        "guidance": route.guidance,
        "next_best_action": route.next_best_action,
        "rules": route.rules,
    }
