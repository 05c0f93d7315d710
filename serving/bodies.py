"""From the bytes of a call to strict JSON: bounded in size, depth and time, no duplicate keys, no NaN."""

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from starlette.types import Receive

from configs.serving import Limits
from serving.errors import ApiError

T = TypeVar("T")

_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
MAX_NUMBER_CHARACTERS = 400
CLOSE = {"Connection": "close"}  # what follows of a refused body is not read


class DisconnectedError(Exception):
    """The caller went away before the body was whole."""


async def read_body(receive: Receive, headers: Mapping[str, str], limits: Limits) -> bytes:
    """Return the whole body, or refuse it as soon as it is known to be too large, packed or too slow."""
    _check_headers(headers, limits)
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            return await _collect(receive, limits)
    except TimeoutError:
        raise ApiError(
            "timeout", f"the body did not arrive within {limits.body_timeout_s:g} s", headers=CLOSE
        ) from None


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` does, or cancel it when the caller, whose body is read, goes away first."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise DisconnectedError
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


def parse_json(body: bytes, limits: Limits) -> Any:
    """Return the JSON value of a body, or refuse it with the reason."""
    if not body:
        raise ApiError("invalid_request", "the body is empty; send a JSON object")
    if is_deeper_than(body, limits.max_depth):
        raise ApiError(
            "invalid_request",
            f"not valid JSON: brackets do not close, or nest deeper than {limits.max_depth}",
            {"max_depth": limits.max_depth},
        )
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except UnicodeDecodeError as error:
        raise ApiError("invalid_request", f"the body is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ApiError("invalid_request", f"not valid JSON: {error.msg} at character {error.pos}") from None


def is_deeper_than(body: bytes, depth: int) -> bool:
    """Return whether brackets outside strings nest deeper than `depth`, found without parsing or recursion.

    Each pass takes away the innermost pairs, at the speed of a search in bytes.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(body.split(b'"')[::2]).translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _check_headers(headers: Mapping[str, str], limits: Limits) -> None:
    if sum(len(name) + len(value) for name, value in headers.items()) > limits.max_header_bytes:
        raise ApiError("invalid_request", f"the headers are larger than {limits.max_header_bytes} bytes", headers=CLOSE)
    if headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise ApiError("invalid_request", "compressed bodies are not accepted; send plain JSON", headers=CLOSE)
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":  # nor none: a web page may send anything else to us without the browser asking first
        raise ApiError("invalid_request", f"Content-Type is {kind[:80]!r}; send application/json", headers=CLOSE)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise ApiError("invalid_request", "Content-Length is not a number", headers=CLOSE)
    if len(length) > 15 or int(length) > limits.max_body_bytes:
        raise _too_large(limits)


async def _collect(receive: Receive, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise DisconnectedError
        part = event.get("body", b"")
        size += len(part)
        if size > limits.max_body_bytes:
            raise _too_large(limits)
        parts.append(part)
        if not event.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limits: Limits) -> ApiError:
    return ApiError(
        "payload_too_large",
        f"the body is larger than {limits.max_body_bytes} bytes; send fewer messages a call",
        {"max_body_bytes": limits.max_body_bytes},
        CLOSE,
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ApiError("invalid_request", f"key {twice[:80]!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> Any:
    raise ApiError("invalid_request", f"{name} is not JSON")


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ApiError("invalid_request", f"a number has more than {MAX_NUMBER_CHARACTERS} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ApiError("invalid_request", "a number is too large")
    return value
