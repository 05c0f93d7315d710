"""The service beyond its capacity, or below it for long: what is answered, how late, and what it costs in memory.

    python benchmarks/overload.py BUNDLE --texts messages.jsonl                            a minute at four times capacity
    python benchmarks/overload.py BUNDLE --texts messages.jsonl --times 0.7 --seconds 600  a soak

Starts the service itself, with an empty ledger and without the cache of scores. Capacity is what 32 clients get who
wait for each answer. Then calls of one message arrive at their time whether or not earlier ones are answered.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.load import bodies, drive, read_answer
from benchmarks.serving import load_texts, resident, say, started

MOST_IDLE_S = 20.0  # below the service's own keep-alive
STEP_S = 0.005  # between looks at which calls are due
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Offered:
    """What became of calls that came at their time."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: dict[int, list[float]] = field(default_factory=dict)
    without_hint: int = 0  # refusals that do not say when to come again
    broken: int = 0  # connections that ended without an answer


def main() -> None:
    """Measure capacity, offer the load and print what became of it."""
    asked = parse()
    texts = load_texts(asked.texts)
    with tempfile.TemporaryDirectory() as folder, started("ours", asked.bundle, Path(folder)) as (port, pid):
        calls = bodies(texts, "/classify", "messages", 1)
        capacity = drive(port, calls, 32, 1, asked.warm_up).per_second
        alone = drive(port, calls, 1, 1, 2.0).quantile(0.5)
        before = resident(pid)
        say(f"capacity {capacity:.0f} messages/s, one client's median {1000 * alone:.1f} ms, {before} MB")
        found = asyncio.run(
            offer(port, calls, asked.per_second or asked.times * capacity, asked.seconds, lambda: resident(pid))
        )
        after = drive(port, calls, 1, 1, 2.0)
        print(f"offered {sum(found.statuses.values()) / found.seconds:.0f} calls/s for {found.seconds:.0f} s,"
              f" capacity {capacity:.0f}/s")  # fmt: skip
        for status, latencies in sorted(found.latencies.items()):
            ordered = sorted(latencies)
            p99 = ordered[int(0.99 * len(ordered))]
            print(f"{status}: {len(ordered)} calls, {len(ordered) / found.seconds:.0f}/s, median"
                  f" {1000 * median(ordered):.0f} ms, p99 {1000 * p99:.0f} ms, slowest {1000 * ordered[-1]:.0f} ms")  # fmt: skip
        print(f"429 without Retry-After: {found.without_hint}; connections broken: {found.broken}")
        print(f"at once afterwards, one client: median {1000 * after.quantile(0.5):.1f} ms, slowest"
              f" {1000 * after.quantile(1):.1f} ms, statuses {dict(after.statuses)} (before {1000 * alone:.1f} ms)")  # fmt: skip
        print(f"memory: {before} MB before, {resident(pid)} MB after")
        print(json.dumps(counters(port)))


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--texts", type=Path, help="JSONL with real messages; the seed corpus if left out")
    parser.add_argument("--times", type=float, default=4.0, help="of the capacity")
    parser.add_argument(
        "--per-second", type=float, help="calls a second instead, where the capacity cannot be measured"
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds in which the capacity is measured")
    return parser.parse_args()


async def offer(
    port: int, calls: Iterator[bytes], per_second: float, seconds: float, memory: Callable[[], int]
) -> Offered:
    """Send calls at a rate for so long, then wait for the last answers; say the memory ten times."""
    found, free, running = Offered(), list[tuple[float, Connection]](), set[asyncio.Task[None]]()
    began, sent, said = perf_counter(), 0, 0
    while (now := perf_counter() - began) < seconds:
        for _ in range(int(per_second * now) - sent):
            task = asyncio.create_task(_call(port, next(calls), free, found))
            running.add(task)
            task.add_done_callback(running.discard)
            sent += 1
        if now >= said * seconds / 10:
            said += 1
            say(f"{now:.0f} s: {memory()} MB, {len(running)} calls open, {dict(found.statuses)}")
        await asyncio.sleep(STEP_S)
    found.seconds = perf_counter() - began
    await asyncio.gather(*running)
    for _, (_, writer) in free:
        writer.close()
    return found


async def _call(port: int, call: bytes, free: list[tuple[float, Connection]], found: Offered) -> None:
    began = perf_counter()
    try:
        reader, writer = await _connection(port, free)
        writer.write(call)
        status, head = await read_answer(reader)
    except (OSError, asyncio.IncompleteReadError):
        found.broken += 1
        return
    found.statuses[status] += 1
    found.latencies.setdefault(status, []).append(perf_counter() - began)
    found.without_hint += status == 429 and b"\r\nretry-after: " not in head
    free.append((perf_counter(), (reader, writer)))


async def _connection(port: int, free: list[tuple[float, Connection]]) -> Connection:
    while free:
        since, connection = free.pop()
        if perf_counter() - since < MOST_IDLE_S:
            return connection
        connection[1].close()
    return await asyncio.open_connection("127.0.0.1", port)


def counters(port: int) -> dict[str, float]:
    """Return what the service counted of its decision log."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        lines = [line.split() for line in page.read().decode().splitlines() if line.startswith("switchboard_log_")]
    return {name: float(value) for name, value in lines if not name.endswith("_created")}


if __name__ == "__main__":
    main()
