import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from examples.router import Refused, pause, queue_of, route


class Service(BaseHTTPRequestHandler):
    """Answers as the service does, busy at first."""

    busy = 2
    status = 200

    def do_POST(self) -> None:
        messages = json.loads(self.rfile.read(int(self.headers["content-length"])))["messages"]
        status, headers = self.status, {}
        if status == 200 and type(self).busy:
            type(self).busy -= 1
            status, headers = 429, {"Retry-After": "0"}
        results = [
            {"id": m.get("id"), "decision": "auto", "reason": None, "route": {"team": m["text"]}} for m in messages
        ]
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
    monkeypatch.setattr(Service, "status", 400)
    with pytest.raises(Refused, match="400"):
        route(iter([{"text": "x"}]), url, tmp_path)


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
