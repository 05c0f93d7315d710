import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from textwrap import dedent
from types import ModuleType

import pytest

from examples.router import Refused, pause, queue_of, read, route
from tests.processes import PROJECT


class Service(BaseHTTPRequestHandler):
    """Answers as the service does, busy at first."""

    busy = 2
    status = 200

    def do_POST(self) -> None:
        messages = json.loads(self.rfile.read(int(self.headers["content-length"])))["messages"]
        status, headers = self.status, {}
        if any(len(m.get("text", "")) > 1000 for m in messages):
            status = 413
        if status == 200 and type(self).busy:
            type(self).busy -= 1
            status, headers = 429, {"Retry-After": "0"}
        results = [
            {"id": m.get("id"), "label": "lead", "confidence": 0.9, "decision": "auto", "reason": None,
             "route": {"team": m["text"]}} if m.get("text", "").strip() else {"error": {"type": "invalid_request"}}
            for m in messages
        ]  # fmt: skip
        body = json.dumps({"results": results}).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_messages_reach_their_queues_though_the_service_is_busy_at_first(url, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    counts = route(
        iter([{"text": "technical", "id": "a"}, {"text": "sales"}, {"text": "technical"}]), url, tmp_path, size=2
    )
    assert counts == {"technical": 2, "sales": 1}
    first = json.loads((tmp_path / "technical.jsonl").read_text().splitlines()[0])
    assert first["message"]["id"] == "a"


def test_a_refusal_is_not_tried_again(url, tmp_path, monkeypatch):
    monkeypatch.setattr(Service, "status", 401)
    with pytest.raises(Refused, match="401"):
        route(iter([{"text": "x"}]), url, tmp_path)


def test_what_is_at_fault_goes_undecided_and_its_neighbours_are_routed(url, tmp_path):
    lines = ['{"text": "sales"}', '{"text": "' + "x" * 2000 + '"}', "{broken", '{"text": "technical"}']
    assert route(map(read, lines), url, tmp_path) == {"undecided": 2, "sales": 1, "technical": 1}
    kept = [json.loads(line) for line in (tmp_path / "undecided.jsonl").read_text().splitlines()]
    assert kept[0]["result"]["error"]["message"].startswith("413") and kept[1]["message"] == {"unreadable": "{broken"}


def test_the_client_of_the_docs_gives_a_place_to_every_text(url):
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    block = page[page.index("    from dataclasses import dataclass") : page.index("[examples/router.py]")]
    client = ModuleType("client")
    sys.modules["client"] = client  # where its dataclass looks for its module
    exec(dedent(block), vars(client))
    found = client.classify(["technical", " ", "sales"], url)
    assert [one and one.team for one in found] == ["technical", None, "sales"]


def test_review_goes_to_people_and_out_of_scope_off_the_queue():
    assert queue_of({"decision": "review", "reason": "low_confidence", "route": {"team": "switchboard"}}) == "people"
    assert (
        queue_of({"decision": "review", "reason": "out_of_scope", "route": {"team": "no_reply_expected"}})
        == "no_reply_expected"
    )
    assert queue_of({"error": {}}) == "undecided"


def test_pauses_grow_and_keep_to_what_was_asked():
    assert 0.2 <= pause(0, None) <= 0.25
    assert pause(0, "7") >= 7 and pause(0, "60") >= 60
    assert pause(20, None) <= 37.5
