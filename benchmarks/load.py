"""A cheap load generator: closed-loop clients on bare connections, so that little of what is measured is its own."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

import orjson
import uvloop

HEAD_END = b"\r\n\r\n"


@dataclass
class Load:
    """What one run of clients saw."""

    seconds: float = 0.0
    messages: int = 0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Messages answered with 200 a second."""
        return self.messages / self.seconds

    def quantile(self, share: float) -> float:
        """Return the latency in seconds that this share of calls stayed within."""
        found = sorted(self.latencies)
        return found[min(len(found) - 1, int(share * len(found)))]


def request(path: str, body: object) -> bytes:
    """Return one call as bytes."""
    data = orjson.dumps(body)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


class _Client(asyncio.Protocol):
    """Sends a call, takes its answer, sends the next, until the end; `done` is told when the connection is over."""

    def __init__(self, calls: Iterator[bytes], messages_a_call: int, load: Load, end: float) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._calls, self._messages, self._load, self._end = calls, messages_a_call, load, end
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first call."""
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer; at its end count it and send the next call."""
        self._data += data
        head, found, body = self._data.partition(HEAD_END)
        if not found:
            return
        status, length = read_head(head.lower())
        if len(body) < length:
            return
        now = perf_counter()
        self._load.latencies.append(now - self._began)
        self._load.statuses[status] += 1
        self._load.messages += self._messages if status == 200 else 0
        if now < self._end:
            self._send()
        else:
            self.done.set_result(None)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that an answer never came."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection before its answer"))

    def _send(self) -> None:
        self._data = b""
        call = next(self._calls)
        self._began = perf_counter()
        self._transport.write(call)


def drive(port: int, calls: Iterator[bytes], clients: int, messages_a_call: int, seconds: float) -> Load:
    """Return what `clients` saw who call one after the other for so many seconds."""

    async def run() -> Load:
        load, began = Load(), perf_counter()
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(
                lambda: _Client(calls, messages_a_call, load, began + seconds), "127.0.0.1", port
            )
            for _ in range(clients)
        ]
        await asyncio.gather(*(client.done for _, client in made))
        load.seconds = perf_counter() - began
        return load

    return uvloop.run(run())


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the status and the head, in lower case, of the next answer."""
    head = (await reader.readuntil(HEAD_END)).lower()
    status, length = read_head(head)
    await reader.readexactly(length)
    return status, head


def read_head(head: bytes) -> tuple[int, int]:
    """Return the status of an answer and the length of its body, by its head in lower case."""
    return int(head[9:12]), int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])


def bodies(texts: Sequence[str], path: str, field_: str, messages_a_call: int) -> Iterator[bytes]:
    """Yield calls with ever new texts, in the form each system takes."""
    number = 0
    while True:
        part = [texts[(number + n) % len(texts)] for n in range(messages_a_call)]
        made = [{"text": text, "id": str(number + n)} for n, text in enumerate(part)] if field_ == "messages" else part
        yield request(path, {field_: made})
        number += messages_a_call
