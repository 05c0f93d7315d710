"""One batch answered: fields in, one decision or typed error out for each, whatever its neighbours are."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data.parsing import BadRow
from serving.decision_ids import new_decision_id
from serving.decisions import Decision, Scored
from serving.errors import ApiError
from serving.incoming import Incoming, name_of, read_incoming
from serving.model import ServedModel

log = logging.getLogger("switchboard.answers")

CHARACTERS_A_TOKEN = 4  # roughly; batches are filled by this estimate


@dataclass(frozen=True, slots=True)
class Answer:
    """What one message got: a decision with its id and message, or an error."""

    incoming: Incoming | None = None
    decision: Decision | None = None
    decision_id: str = ""
    error: ApiError | None = None
    given_id: str | None = None

    def as_row(self, versions: Mapping[str, str], request_id: str) -> dict[str, Any]:
        """Return the fields of one result."""
        if self.decision is None:
            assert self.error is not None
            return {"id": self.given_id, "error": self.error.as_error()}
        return {
            "decision_id": self.decision_id,
            **self.decision.as_row(),
            "model_version": versions["version"],
            "taxonomy_version": versions["taxonomy_version"],
            "playbook_version": versions["playbook_version"],
            "request_id": request_id,
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """The answers to one batch's calls, how many texts needed computing, and how many were known."""

    answers: list[list[Answer]]
    scored: int
    cached: int


def answer_batch(model: ServedModel, calls: Sequence[Sequence[Any]], max_characters: int) -> Batch:
    """Return the answers to each call's messages, all scored together."""
    received = datetime.now(UTC)
    read = [[_read(fields, max_characters, model) for fields in call] for call in calls]
    texts = [one.cleaned for call in read for one in call if isinstance(one, Incoming)]
    scored, computed = model.score(texts)
    results = iter(scored)
    answers = [
        [one if isinstance(one, Answer) else _route(one, next(results), model, received) for one in call]
        for call in read
    ]
    return Batch(answers, computed, len(texts) - computed)


def _route(one: Incoming, scored: Scored, model: ServedModel, received: datetime) -> Answer:
    try:
        decision = model.decider.route(scored, one.message, one.facts, received)
    except Exception:  # one message's fault stays its own
        return _fault(one.message.id)
    return Answer(one, decision, new_decision_id(received))


def _fault(given_id: str | None) -> Answer:
    log.exception("fault in one message")
    return Answer(error=ApiError("internal", "a fault of the service with this message"), given_id=given_id)


def tokens_of(fields: Any, max_tokens: int) -> int:
    """Return about how many tokens a message will cost."""
    text = fields.get("text") if isinstance(fields, dict) else None
    return min(max_tokens, len(text) // CHARACTERS_A_TOKEN + 2) if isinstance(text, str) else 1


def _read(fields: Any, max_characters: int, model: ServedModel) -> Incoming | Answer:
    if not isinstance(fields, dict):
        return Answer(error=ApiError("invalid_request", f"a message must be an object, found {type(fields).__name__}"))
    given_id = name_of(fields)
    text = fields.get("text")
    if isinstance(text, str) and len(text) > max_characters:
        reason = f"'text' has {len(text)} characters, the limit is {max_characters}"
        return Answer(error=ApiError("invalid_request", reason, {"max_characters": max_characters}), given_id=given_id)
    try:
        return read_incoming(fields, model.decider.clean)
    except BadRow as error:
        return Answer(error=ApiError("invalid_request", str(error)), given_id=given_id)
    except Exception:
        return _fault(given_id)
