"""A complete small router: reads messages, asks Switchboard, puts each into its team's queue, `review` before people.

    python examples/router.py messages.jsonl --url http://127.0.0.1:3000 --queues queues/

It retries with growing pauses and keeps to Retry-After, sends `review` to the people who triage, keeps what could not
be decided apart, and needs nothing but Python. The key, if the service asks for one: SWITCHBOARD_KEY.
"""

import argparse
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

TRY_AGAIN = {429, 502, 503, 504}
TRIES = 8
LONGEST_PAUSE_S = 30.0

Row = dict[str, Any]


class Refused(Exception):
    """The service will not take this call, however often it is tried; `status` is 0 where it never answered."""

    def __init__(self, said: str, status: int = 0) -> None:
        super().__init__(said)
        self.status = status


def classify(url: str, messages: list[Row], key: str = "") -> list[Row]:
    """Return one result a message, in order, trying again while the service is busy or away."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    call = urllib.request.Request(f"{url}/classify", json.dumps({"messages": messages}).encode(), headers)
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(call, timeout=30) as answer:
                return json.load(answer)["results"]
        except urllib.error.HTTPError as error:
            if error.code not in TRY_AGAIN:
                said = error.read(500).decode("utf-8", "replace")
                raise Refused(f"{error.code}: {said}", error.code) from None
            wait = pause(attempt, error.headers.get("Retry-After"))
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError):
            wait = pause(attempt, None)
        time.sleep(wait)
    raise Refused(f"{url} did not answer after {TRIES} tries")


def decide(url: str, messages: list[Row], key: str = "") -> list[Row]:
    """Return one result a message; of a call that is refused as a whole only what is at fault goes undecided."""
    try:
        return classify(url, messages, key)
    except Refused as refusal:
        if refusal.status not in (400, 413):  # a wrong key or address: nothing would be taken
            raise
        if len(messages) == 1:
            return [{"error": {"type": "refused", "message": str(refusal)}}]
        half = len(messages) // 2
        return decide(url, messages[:half], key) + decide(url, messages[half:], key)


def pause(attempt: int, retry_after: str | None) -> float:
    """Return the seconds to wait: at least what the service asks for, spread so that callers do not come all at once."""
    asked = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
    return max(asked, min(LONGEST_PAUSE_S, 0.2 * 2**attempt)) * random.uniform(1.0, 1.25)


def queue_of(result: Row) -> str:
    """Return the queue a result belongs to."""
    if "error" in result:
        return "undecided"
    if result["decision"] == "review" and result["reason"] != "out_of_scope":
        return "people"
    return result["route"]["team"].replace(" ", "_")


def route(messages: Iterator[Row], url: str, queues: Path, key: str = "", size: int = 32) -> Counter[str]:
    """Put every message with its result into its queue's file, and return how many each got."""
    queues.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    while batch := list(islice(messages, size)):
        for message, result in zip(batch, decide(url, batch, key), strict=True):
            name = queue_of(result)
            with (queues / f"{name}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"message": message, "result": result}) + "\n")
            counts[name] += 1
    return counts


def read(line: str) -> Row:
    """Return a line's message; one that is none goes to the service as it is, which says so."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": line.rstrip("\n")}


def main() -> None:
    """Route a file of messages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="JSONL with a `text` a line")
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--queues", type=Path, default=Path("queues"))
    arguments = parser.parse_args()
    with arguments.file.open(encoding="utf-8", errors="replace") as lines:
        messages = (read(line) for line in lines if line.strip())
        counts = route(messages, arguments.url, arguments.queues, os.environ.get("SWITCHBOARD_KEY", ""))
    for name, count in counts.most_common():
        print(f"{count:6} {name}")


if __name__ == "__main__":
    main()
