"""A cheap load generator: closed-loop clients on raw sockets, bodies made beforehand."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import orjson


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


async def drive(port: int, calls: Iterator[bytes], clients: int, messages_a_call: int, seconds: float) -> Load:
    """Return what `clients` saw who call one after the other for so many seconds."""
    load = Load()
    end = perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while perf_counter() < end:
                began = perf_counter()
                writer.write(next(calls))
                status, _ = await read_answer(reader)
                load.latencies.append(perf_counter() - began)
                load.statuses[status] += 1
                load.messages += messages_a_call if status == 200 else 0
        finally:
            writer.close()

    began = perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    load.seconds = perf_counter() - began
    return load


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the status and the head, in lower case, of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(b"content-length: ")
    await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
    return int(head[9:12]), head


def bodies(texts: Sequence[str], path: str, field_: str, messages_a_call: int) -> Iterator[bytes]:
    """Yield calls with ever new texts, in the form each system takes."""
    number = 0
    while True:
        part = [texts[(number + n) % len(texts)] for n in range(messages_a_call)]
        made = [{"text": text, "id": str(number + n)} for n, text in enumerate(part)] if field_ == "messages" else part
        yield request(path, {field_: made})
        number += messages_a_call
