"""Malformed bodies by the thousand: typed answers only, and the service goes on.

50,000 bodies by default; SWITCHBOARD_FUZZ sets another number.
"""

import asyncio
import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.playbook import load_playbook
from data.messages import Message
from serving.decisions import Decider
from tests.serving import running
from training.predictor import Predictor

BODIES = int(os.environ.get("SWITCHBOARD_FUZZ", "50000"))
GOOD = json.dumps(
    {"messages": [{"text": "my router is broken 😀", "id": "a", "channel": "twitter", "author": {"id": "u", "reach": 12}, "time": "2026-11-21T09:00:00+00:00"}, {"text": "thanks"}]}
).encode()  # fmt: skip
PIECES = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"\x00", b"\xff", b"\xed\xa0\x80",
    b"\\ud800", b"\\u0000", b'"text":', b'"messages":', b"9" * 400, b"[" * 50, b'{"a":' * 50, b"0x1", b"'", b"/**/", b"\xef\xbb\xbf", b"\xe2\x80\xae",
]  # fmt: skip


@pytest.fixture(scope="module")
def client(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        running(tiny_bundle, monkeypatch, tmp_path_factory.mktemp("var"), log_decisions=False) as it,
    ):
        yield it


def mutate(body: bytes, chance: random.Random) -> bytes:
    """Return a body with pieces cut, doubled, swapped or put in."""
    for _ in range(chance.randint(1, 4)):
        at, to = sorted(chance.randint(0, len(body)) for _ in range(2))
        body = chance.choice([
            body[:at] + body[to:], body[:to] + body[at:], body[:at] + chance.choice(PIECES) + body[at:],
            body[:at] + chance.choice(PIECES) + body[to:], body[:at], body[:at] + chance.randbytes(3) + body[at + 3 :],
        ])  # fmt: skip
    return body


async def post(app, path: str, body: bytes) -> tuple[int, bytes]:
    """Return status and body of one call, without a client in between."""
    sent: list[dict] = []
    events = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(events)

    async def send(event):
        sent.append(event)

    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/json")], "client": ("127.0.0.1", 1), "server": ("x", 1), "scheme": "http",
        "http_version": "1.1", "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(event.get("body", b"") for event in sent[1:])


def test_malformed_bodies_get_typed_answers_only(client):
    chance = random.Random(7)
    statuses: Counter[int] = Counter()

    async def go() -> None:
        for number in range(BODIES):
            path = "/feedback" if number % 10 == 0 else "/classify"
            status, body = await post(client.app, path, mutate(GOOD, chance))
            statuses[status] += 1
            answer = json.loads(body)
            assert status in {200, 400, 413}, (status, body)
            if status != 200:
                assert set(answer) == {"error"} and answer["error"]["type"] in {"invalid_request", "payload_too_large"}
            for row in answer.get("results", []):
                assert "label" in row or row["error"]["type"] == "invalid_request"

    asyncio.run(go())
    assert statuses[200] and statuses[400]
    assert client.get("/readyz").status_code == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {"text": json_values | st.text(max_size=200)},
    optional=dict.fromkeys(
        ("id", "channel", "author", "time", "sentiment", "parent_text", "customer_tier", "reach", "source"), json_values
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(messages | json_values, min_size=1, max_size=5))
def test_any_json_in_place_of_a_message_gets_a_result_of_its_own(client, batch):
    body = json.dumps({"messages": batch}).encode("utf-8", "surrogatepass")
    status, answer = asyncio.run(post(client.app, "/classify", body))
    if status == 200:
        rows = json.loads(answer)["results"]
        assert len(rows) == len(batch)
        assert all("label" in row or row["error"]["type"] == "invalid_request" for row in rows)
    else:
        assert json.loads(answer)["error"]["type"] == "invalid_request"


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=6))
def test_a_decision_does_not_depend_on_its_neighbours(tiny_bundle, texts):
    decider = _decider(tiny_bundle)
    made = [Message(text, str(n)) for n, text in enumerate(texts)]
    together = decider.decide(made)
    for alone, beside in zip((decider.decide([one])[0] for one in made), together, strict=True):
        assert alone.label == beside.label and alone.outcome == beside.outcome
        assert sum(beside.scores.values()) == pytest.approx(1)
        assert alone.scores == pytest.approx(beside.scores, abs=1e-5)


_deciders: dict[Path, Decider] = {}


def _decider(bundle: Path) -> Decider:
    if bundle not in _deciders:
        _deciders[bundle] = Decider(Predictor(bundle, threads=1), load_playbook())
    return _deciders[bundle]
