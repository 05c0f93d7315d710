"""Why a message goes where it goes: each step of the playbook, with the fact that a rule lacked."""

from collections.abc import Iterator
from dataclasses import dataclass

from configs.playbook import Playbook
from data.messages import Message
from serving.facts import CallerFacts
from serving.routing import Verdict, channel_overrides, decide_route, segment_of, unmet
from training.policy import Judgement


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was looked at, whether it changed the route, and how or why not."""

    name: str
    applied: bool
    because: str


def explain(
    judgement: Judgement, message: Message, facts: CallerFacts, playbook: Playbook
) -> tuple[list[Step], Verdict]:
    """Return the steps in the order they apply, and the verdict they lead to."""
    verdict = decide_route(judgement, message, facts, playbook, None)
    return list(_steps(judgement, message, facts, playbook, verdict)), verdict


def _steps(
    judgement: Judgement, message: Message, facts: CallerFacts, playbook: Playbook, verdict: Verdict
) -> Iterator[Step]:
    sure = f"{judgement.label} with confidence {judgement.confidence:.2f}"
    yield Step("model", True, f"{sure}: {judgement.outcome}{f' ({judgement.reason})' if judgement.reason else ''}")
    segment = segment_of(judgement.label, verdict.outcome, verdict.reason)
    yield Step(f"segment {segment}", True, "the route to begin with")
    changes = channel_overrides(segment, message.channel, playbook)
    for key, change in changes.items():
        yield Step(f"channel {message.channel}, {key}", True, _changed(change.model_dump(exclude_none=True)))
    if message.channel and not changes:
        yield Step(f"channel {message.channel}", False, f"changes nothing for {segment}")
    for rule in playbook.rules:
        lacking = unmet(rule.when, judgement, message, facts)
        said = (
            f"asks for {lacking} {getattr(rule.when, lacking)}"
            if lacking
            else _changed(rule.then.model_dump(exclude_none=True))
        )
        yield Step(
            f"rule {rule.name}", not lacking, said + (", asks a person first" if rule.review and not lacking else "")
        )


def _changed(values: dict[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or "no change"
