"""The HTTP side: an ASGI application that owns parsing, errors and limits; everything it decides is the desk's."""

import logging
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.bodies import DisconnectedError
from serving.desk import Desk
from serving.endpoints import Endpoints
from serving.errors import ApiError
from serving.keys import Keys

log = logging.getLogger("switchboard.access")

_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
QUIET = {"/livez", "/readyz", "/metrics"}
JSON = "application/json"

Handler = Callable[[Request], Awaitable[Response]]


def build_app(
    desk: Desk, keys: Keys, endpoints: Endpoints, on_start: Callable[[], None], on_stop: Callable[[], None]
) -> Starlette:
    """Return the application around a desk; it starts the desk when served and stops it when the server does."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        on_start()
        desk.start()
        yield
        desk.stop()
        on_stop()

    routes = [
        Route(path, _Endpoint(handler, path, scope, desk, keys), methods=[method])
        for method, path, scope, handler in endpoints.table()
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found, 405: _wrong_method})


class _Endpoint:
    """One route: authorises, runs the handler, turns errors into typed answers, counts and logs, never texts."""

    def __init__(self, handler: Handler, path: str, scope: str, desk: Desk, keys: Keys) -> None:
        self._handler, self._path, self._scope, self._desk, self._keys = handler, path, scope, desk, keys
        self._seconds = desk.metrics.seconds.labels(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        request = Request(scope, receive)
        request_id = request.state.request_id = request_id_of(request)
        try:
            request.state.caller = self._keys.authorise(request, self._scope)
            response = await self._handler(request)
        except ApiError as error:
            response = json_response(error.body(), error.status, error.headers)
        except DisconnectedError:
            return
        except Exception:
            log.exception("fault", extra={"request_id": request_id, "path": self._path})
            error = ApiError("internal", "a fault of the service; the log has it under this request id")
            response = json_response(error.body(), error.status)
        response.headers["X-Request-ID"] = request_id
        await response(scope, receive, send)
        self._count(request, response.status_code, perf_counter() - started)

    def _count(self, request: Request, status: int, seconds: float) -> None:
        self._desk.metrics.requests.labels(self._path, str(status)).inc()
        self._seconds.observe(seconds)
        if self._path not in QUIET:
            log.info(
                "answered",
                extra={
                    "request_id": request.state.request_id,
                    "path": self._path,
                    "status": status,
                    "ms": round(1000 * seconds, 2),
                    "caller": getattr(request.state, "caller", ""),
                },
            )


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(orjson.dumps(body), status, headers, JSON)


def request_id_of(request: Request) -> str:
    """Return the caller's X-Request-ID if it is a plain word, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class FrontDoor:
    """ASGI middleware that answers our paths itself, before the server's own pages of the same name."""

    def __init__(self, app: ASGIApp, ours: ASGIApp) -> None:
        self._app, self._ours = app, ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or pass on what is no call."""
        await (self._ours if scope["type"] == "http" else self._app)(scope, receive, send)


async def _not_found(request: Request, error: Exception) -> Response:
    return _refuse(request, ApiError("not_found", f"no such path {request.url.path[:200]!r}; see /openapi.json"))


async def _wrong_method(request: Request, error: Exception) -> Response:
    refusal = ApiError("invalid_request", f"{request.method[:20]} is not possible here; see /openapi.json")
    response = _refuse(request, refusal)
    response.status_code = 405
    response.headers["Allow"] = str((getattr(error, "headers", None) or {}).get("Allow", ""))
    return response


def _refuse(request: Request, error: ApiError) -> Response:
    response = json_response(error.body(), error.status, error.headers)
    response.headers["X-Request-ID"] = request_id_of(request)
    return response
