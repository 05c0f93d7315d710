import json
import re
import signal
import socket
import threading
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from configs.serving import Limits
from data.ledger import open_ledger
from serving.openapi import describe
from tests.processes import Service, command, serving
from tests.serving import wait_until
from training.publish import publish


@pytest.fixture
def var(tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SWITCHBOARD_DATABASE_URL", raising=False)
    publish(tiny_bundle, "1", tmp_path / "published")
    return tmp_path


@pytest.fixture(scope="module")
def service(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory):
    var = tmp_path_factory.mktemp("var")
    publish(tiny_bundle, "1", var / "published")
    with serving(var, "limits.body_timeout_s=0.5") as it:
        yield it


DESCRIPTION = describe(Limits(), "1")
OPERATIONS = [(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_service_is_as_it_describes_itself(path, method, service):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=schemathesis.openapi.from_dict(DESCRIPTION)[path][method].as_strategy())
    def check(case) -> None:
        case.call_and_validate(base_url=service.url)

    check()


CALL = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def raw(service: Service, data: bytes, then_wait: bool = True) -> bytes:
    """Send bytes as they are and return what comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(data)
        found = b""
        while then_wait and (part := connection.recv(65_536)):
            found += part
        return found


def test_it_serves_without_torch_or_mlflow_in_modest_memory(service):
    assert service.post("/classify", {"messages": [{"text": "thanks"}]}).json()["results"][0]["label"] == "praise"
    maps = Path(f"/proc/{service.process.pid}/maps").read_text()
    assert "libtorch" not in maps and "mlflow" not in maps
    resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{service.process.pid}/status").read_text())
    assert resident and int(resident[1]) < 600_000


def test_a_body_that_stops_half_way_is_given_up(service):
    answer = raw(service, CALL + b"Content-Length: 100\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 504") and b'"timeout"' in answer


def test_what_is_no_request_is_refused_typed(service):
    assert b'"invalid_request"' in raw(service, b"\x16\x03\x01nonsense\r\n\r\n")
    assert b'"invalid_request"' in raw(service, b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 40_000)
    large = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n"
    assert raw(service, large).startswith(b"HTTP/1.1 400") or b"200" in raw(service, large)


def test_a_call_refused_before_its_body_gets_one_answer_and_keeps_its_connection(service):
    body = b" " * 200_000
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(head + body[:20_000])
        found = connection.recv(65_536)
        for start in range(20_000, len(body), 60_000):
            connection.sendall(body[start : start + 60_000])
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while part := connection.recv(65_536):
            found += part
    assert re.findall(rb"HTTP/1.1 (\d+)", found) == [b"404", b"200"]


def test_callers_that_go_away_hold_nothing(service):
    body = json.dumps({"messages": [{"text": "broken"}] * 100}).encode()
    head = CALL + b"Content-Length: %d\r\n\r\n" % len(body)
    for _ in range(30):
        raw(service, head + body, then_wait=False)
        raw(service, head + body[:50], then_wait=False)
    assert service.post("/classify", {"messages": [{"text": "thanks"}]}).status_code == 200


def test_sigterm_finishes_what_was_accepted_and_loses_no_decision_nor_logs_a_text(var):
    answered: list[str] = []
    with serving(var) as service:

        def call() -> None:
            while True:
                try:
                    response = service.post("/classify", {"messages": [{"text": "broken router"}] * 20})
                except Exception:
                    return
                if response.status_code == 200:
                    answered.extend(row["decision_id"] for row in response.json()["results"])

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answered) > 100)
        service.post("/classify", {"messages": [{"text": "a very private text"}]}, headers={"X-Request-ID": "r-77"})
        assert service.stop() == 0
        for thread in threads:
            thread.join()
    with open_ledger(f"sqlite:///{var / 'ledger.db'}") as ledger:
        assert len(ledger.decisions.get(answered)) == len(answered)
    lines = (var / "service.log").read_text().splitlines()
    assert any(json.loads(line).get("request_id") == "r-77" for line in lines)
    assert not any("very private" in line for line in lines)


def test_after_a_kill_it_starts_again_and_spilled_decisions_return(var):
    blocked = var / "blocked"
    blocked.write_text("a file where a folder should be")
    with serving(var, SWITCHBOARD_DATABASE_URL=f"sqlite:///{blocked}/ledger.db") as service:
        row = service.post("/classify", {"messages": [{"text": "broken router"}]}).json()["results"][0]
        wait_until(lambda: any(path.stat().st_size for path in (var / "spill").glob("*.jsonl")))
        service.stop(signal.SIGKILL)
    with serving(var) as service:
        wait_until(lambda: not list((var / "spill").glob("*.jsonl")))
        assert service.post("/feedback", {"decision_id": row["decision_id"], "label": "lead"}).status_code == 200
        service.stop()
    with open_ledger(f"sqlite:///{var / 'ledger.db'}") as ledger:
        assert set(ledger.decisions.get([row["decision_id"]])) == {row["decision_id"]}
        assert len(ledger.events.of([row["id"]])[row["id"]]) == 1


def test_an_interrupted_classification_leaves_no_file(tiny_bundle, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "my router is broken and I would like it mended"}\n' * 400_000)
    out = tmp_path / "out"
    out.mkdir()
    process = command("classify", str(source), "-o", str(out / "out.jsonl"), "--model", str(tiny_bundle), var=tmp_path)
    wait_until(lambda: any(path.stat().st_size for path in out.iterdir()), 60)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert (process.returncode, list(out.iterdir())) == (130, [])
