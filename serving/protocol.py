"""The connection: bounded in time and bytes while no request is being answered, so that slow callers hold nothing."""

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.errors import ApiError

HEAD_TIMEOUT_S = 10.0
MAX_HEAD_BYTES = 32_768
MAX_LEFT_BYTES = 1 << 22  # of a body that was answered before it was read; beyond them the connection is dropped


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for the head of a request and for what follows an early answer."""

    _guard: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_body = False

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those that belong to no request in progress count against the bounds.

        What is left of a body that was answered early is read and left aside, so that its answer arrives.
        """
        is_left = self._in_body and self._is_between_requests()
        super().data_received(data)
        if self.transport.is_closing() or not self._is_between_requests():
            return
        self._head_bytes += len(data)
        if is_left and self._head_bytes > MAX_LEFT_BYTES:
            self.transport.abort()
        elif not is_left and self._head_bytes > MAX_HEAD_BYTES:
            self.send_400_response("the head of the request is too large")
        else:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """Begin a request: its body has a deadline of its own."""
        self._stop_waiting()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request's body; what comes next is another request."""
        self._head_bytes, self._in_body = 0, False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the caller."""
        self._stop_waiting()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and drop one whose caller does not read its answer."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP request, typed like every other error."""
        body = orjson.dumps(ApiError("invalid_request", msg).body())
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[400] + head + body)
        self.transport.close()

    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_head(self) -> None:
        if self._guard is None:
            self._guard = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)

    def _stop_waiting(self) -> None:
        self._head_bytes = 0
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None

    def _give_up(self) -> None:
        self._guard = None
        if not self.transport.is_closing():
            self.transport.abort()
