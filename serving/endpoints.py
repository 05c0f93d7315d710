"""What each path does with a call, given the desk."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from configs.playbook import Playbook
from configs.taxonomy import load_taxonomy
from serving.bodies import parse_json, read_body, unless_gone
from serving.desk import Desk
from serving.errors import ApiError
from serving.feedback import FeedbackDesk
from serving.keys import OPEN
from serving.openapi import describe

VERSION = "1"  # of the API: a change that breaks a caller makes it 2

Handler = Callable[[Request], Awaitable[Response]]


class Endpoints:
    """The handlers; `table` lists method, path, the scope a key needs, and handler."""

    def __init__(self, desk: Desk, feedback: FeedbackDesk) -> None:
        self._desk = desk
        self._feedback = feedback

    def table(self) -> Iterator[tuple[str, str, str, Handler]]:
        """Yield every endpoint once."""
        yield "POST", "/classify", "classify", self.classify
        yield "POST", "/feedback", "feedback", self.feedback
        yield "GET", "/model", "classify", self.model
        yield "GET", "/taxonomy", "classify", self.taxonomy
        yield "GET", "/playbook", "classify", self.playbook
        yield "GET", "/openapi.json", OPEN, self.openapi
        yield "GET", "/livez", OPEN, self.livez
        yield "GET", "/readyz", OPEN, self.readyz
        yield "GET", "/metrics", OPEN, self.metrics

    async def classify(self, request: Request) -> Response:
        """Answer one result a message, in order."""
        limits = self._desk.settings.limits
        self._desk.batcher.check_room(1, limits.deadline_s)  # refused before the body costs anything
        body = await read_body(request.receive, request.headers, limits)
        messages = _messages_in(parse_json(body, limits), limits.max_items)
        request_id = request.state.request_id
        answering = self._desk.classify(messages, request_id, request.state.caller)
        if self._desk.batcher.jobs_waiting:  # worth watching: a caller who leaves the queue is not computed
            answering = unless_gone(request.receive, answering)
        model, answers = await answering
        versions = model.versions
        results = [answer.as_row(versions, request_id) for answer in answers]
        return Response(
            orjson.dumps({"results": results, "model": versions, "request_id": request_id}),
            media_type="application/json",
        )

    async def feedback(self, request: Request) -> Response:
        """Take a correction of a decision; saying it twice changes nothing."""
        limits = self._desk.settings.limits
        body = parse_json(await read_body(request.receive, request.headers, limits), limits)
        taken = await self._feedback.take(body, request.state.caller)
        self._desk.metrics.feedback.inc()
        return _json({**taken, "request_id": request.state.request_id})

    async def model(self, request: Request) -> Response:
        """Answer what is served, how sure it must be to act by itself, and the limits of a call."""
        model = self._desk.model()
        info = model.decider.predictor.info
        return _json(
            {
                **model.versions,
                "labels": info.labels,
                "thresholds": {"auto": info.thresholds.auto, "out_of_scope": info.thresholds.out_of_scope},
                "thresholds_playbook_version": info.thresholds.playbook_version,
                "created": info.created,
                "base_model": info.base_model,
                "precision": info.precision,
                "commit": info.commit,
                "data_fingerprint": info.data_fingerprint,
                "published": model.champion.published,
                "limits": self._desk.settings.limits.model_dump(),
                "problem": self._desk.follower.problem or None,
            }
        )

    async def taxonomy(self, request: Request) -> Response:
        """Answer the labels and what they mean."""
        return _json(load_taxonomy().model_dump())

    async def playbook(self, request: Request) -> Response:
        """Answer who answers what."""
        return _json(self._playbook.model_dump(exclude_none=True))

    @property
    def _playbook(self) -> Playbook:
        return self._desk.playbook

    async def openapi(self, request: Request) -> Response:
        """Answer the API's description."""
        return _json(describe(self._desk.settings.limits, VERSION))

    async def livez(self, request: Request) -> Response:
        """Answer that the process lives."""
        return _json({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        """Answer whether calls are taken: a verified model is in service and the process is not stopping."""
        if self._desk.stopping:
            raise ApiError("not_ready", "the service is stopping")
        return _json({"status": "ready", "version": self._desk.model().champion.version})

    async def metrics(self, request: Request) -> Response:
        """Answer what Prometheus reads."""
        self._desk.refresh_gauges()
        return PlainTextResponse(self._desk.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def _messages_in(body: Any, max_items: int) -> list[Any]:
    """Return the messages of a call's body, or refuse its shape."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise ApiError("invalid_request", 'send an object {"messages": [{"text": "..."}]}')
    if unknown := sorted(set(body) - {"messages"}):
        raise ApiError("invalid_request", f"unknown key {unknown[0][:80]!r}; the only one is 'messages'")
    messages = body["messages"]
    if not messages:
        raise ApiError("invalid_request", "'messages' is empty; send at least one")
    if len(messages) > max_items:
        raise ApiError(
            "payload_too_large",
            f"{len(messages)} messages in one call, the limit is {max_items}",
            {"max_items": max_items},
        )
    return messages
