import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from configs.taxonomy import load_taxonomy
from data.messages import Message
from serving.decisions import Decider, Decision, Scored
from tests.serving import classify, running


@pytest.fixture(scope="module")
def client(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        running(tiny_bundle, monkeypatch, tmp_path_factory.mktemp("var")) as it,
    ):
        yield it


def refused(client: TestClient, body: bytes | str, **headers: str) -> tuple[int, dict]:
    response = client.post("/classify", content=body, headers={"content-type": "application/json", **headers})
    return response.status_code, response.json()["error"]


def test_one_result_a_message_in_order_each_with_its_own_error(client):
    messages = [
        {"text": "broken router", "id": "a"},
        {"text": 7, "id": "b"},
        "no object",
        {"text": "thanks", "id": "d"},
        {"text": " "},
        {},
    ]
    answer = client.post("/classify", json={"messages": messages}).json()
    assert [row.get("label") for row in answer["results"]] == ["request", None, None, "praise", None, None]
    assert [row["id"] for row in answer["results"][:4]] == ["a", "b", None, "d"]
    assert {row["error"]["type"] for row in answer["results"] if "error" in row} == {"invalid_request"}


def test_a_decision_carries_everything_a_router_needs(client):
    row = classify(client, "my router is broken", id="m1", channel="twitter").json()["results"][0]
    assert set(row) == {
        "decision_id", "id", "label", "confidence", "scores", "decision", "reason", "top", "route", "model_version",
        "taxonomy_version", "playbook_version", "request_id",
    }  # fmt: skip
    assert set(row["route"]) == {
        "team", "tier", "priority", "respond_within_s", "due", "guidance", "next_best_action", "rules",
    }  # fmt: skip
    assert row["label"] in load_taxonomy().labels
    assert sum(row["scores"].values()) == pytest.approx(1)


def test_the_due_time_counts_from_the_message(client):
    row = classify(client, "my router is broken", time="2026-11-21T09:00:00+00:00").json()["results"][0]
    assert row["route"]["due"] == "2026-11-21T10:00:00+00:00"


def test_the_request_id_is_the_callers_if_it_is_a_plain_word(client):
    body = {"messages": [{"text": "thanks"}]}
    given = client.post("/classify", json=body, headers={"X-Request-ID": "r-1"})
    assert (given.headers["x-request-id"], given.json()["request_id"]) == ("r-1", "r-1")
    assert client.post("/classify", json=body, headers={"X-Request-ID": "a b\t"}).json()["request_id"] != "a b\t"


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"7", b"null", b'{"messages": {}}', b'{"messages": []}', b'{"messages": [], "messages": []}',
    b'{"messages": [{"text": "a", "text": "b"}]}', b'{"messages": [{"text": "a", "reach": NaN}]}',
    b'{"messages": [{"text": "a", "reach": Infinity}]}', b'{"messages": [{"text": "a", "reach": 1e999}]}',
    b'{"messages": [{"text": "a", "reach": ' + b"9" * 5000 + b"}]}", b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'\xff\xfe{"messages": []}', b'{"messages": [{"text": "\xff"}]}', b'{"messages": [{"text": "a"}], "else": 1}',
])  # fmt: skip
def test_a_malformed_body_is_refused_by_type(client, body):
    status, error = refused(client, body)
    assert (status, error["type"]) == (400, "invalid_request")
    assert "Traceback" not in json.dumps(error)


def test_a_key_that_stands_twice_among_many_is_named(client):
    keys = ",".join(f'"k{n}":0' for n in [*range(100_000), 99_999])
    status, error = refused(client, '{"messages":[{"text":"hi",' + keys + "}]}")
    assert (status, error["message"]) == (400, "key 'k99999' stands twice in one object")


@pytest.mark.parametrize(("fields", "said"), [
    ({"time": 1795010112345}, "'time' is 1795010112345"), ({"time": "1795010112345"}, "'time' is '1795010112345'"),
    ({"reach": "00000000000005"}, "'reach' is '00000000000005'"), ({"parent_text": "x" * 20_001}, "'parent_text' has 20001"),
])  # fmt: skip
def test_a_wrong_field_is_named(client, fields, said):
    [result] = client.post("/classify", json={"messages": [{"text": "help me", **fields}]}).json()["results"]
    assert said in result["error"]["message"]


def test_a_blank_parent_says_nothing(client):
    [result] = client.post("/classify", json={"messages": [{"text": "help me", "parent_text": "  "}]}).json()["results"]
    assert result["label"]


def test_brackets_within_texts_are_no_nesting(client):
    assert classify(client, '[[[[[[[[[[ {{{{{{{{ \\" [[[[[[[[').status_code == 200


def test_limits_are_typed_before_parsing_where_possible(client):
    status, error = refused(client, b" " * (3 << 20))
    assert (status, error["type"], error["details"]["max_body_bytes"]) == (413, "payload_too_large", 2 << 20)
    assert refused(client, b"{}", **{"content-length": "99999999999"})[0] == 413
    assert refused(client, b"x", **{"content-encoding": "gzip"})[1]["message"].startswith("compressed bodies")
    assert refused(client, b"{}", **{"content-type": "text/plain"})[0] == 400
    many = json.dumps({"messages": [{"text": "a"}] * 10_000})
    status, error = refused(client, many)
    assert (status, error["type"], error["details"]["max_items"]) == (413, "payload_too_large", 256)


@pytest.mark.parametrize("path", ["/classify", "/feedback"])
def test_a_body_must_say_that_it_is_json_which_no_web_page_may_without_asking(client, path):
    body = json.dumps(
        {"messages": [{"text": "thanks"}]} if path == "/classify" else {"message_id": "m", "label": "lead"}
    )
    assert (
        client.post(path, content=body, headers={"content-type": "Application/JSON; charset=utf-8"}).status_code == 200
    )
    response = client.post(path, content=body.encode())
    assert "content-type" not in response.request.headers
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request")
    assert "application/json" in response.json()["error"]["message"]


def test_a_text_beyond_the_limit_is_that_messages_error(client):
    rows = classify(client, "x" * 100_000, "thanks").json()["results"]
    assert rows[0]["error"]["details"]["max_characters"] == 20_000
    assert rows[1]["label"] == "praise"


def test_odd_texts_are_answered(client):
    odd = ["😀" * 500, "\u0007\u0000x", "ваш роутер не работает", "\ud800 broken", "a" * 20_000, "‮reversed"]
    response = client.post("/classify", content=json.dumps({"messages": [{"text": text} for text in odd]}), headers={"content-type": "application/json"})  # fmt: skip
    assert all("label" in row for row in response.json()["results"])


def test_half_a_surrogate_pair_in_an_id_is_that_messages_error(client):
    body = '{"messages": [{"text": "thanks", "id": "\\ud800"}, {"text": "thanks"}]}'
    rows = client.post("/classify", content=body, headers={"content-type": "application/json"}).json()["results"]
    assert "error" in rows[0] and rows[1]["label"] == "praise"


def test_a_fault_in_routing_one_message_stays_its_own(client, monkeypatch):
    route = Decider.route

    def faulty(self: Decider, scored: Scored, message: Message, *rest: Any) -> Decision:
        if message.id == "faulty":
            raise RuntimeError("no route")
        return route(self, scored, message, *rest)

    monkeypatch.setattr(Decider, "route", faulty)
    assert classify(client, "never seen before, alone", id="faulty").json()["results"][0]["error"]["type"] == "internal"


def test_repeats_are_scored_once_but_routed_each(client):
    def scored() -> float:
        page = client.get("/metrics").text
        return float(next(line for line in page.splitlines() if line.startswith("switchboard_scored_total")).split()[1])

    before = scored()
    rows = classify(client, *["a copied post that is broken, broken"] * 20).json()["results"]
    rows += classify(client, "a copied post that is broken, broken", time="2026-01-01T00:00:00+00:00").json()["results"]
    assert scored() == before + 1
    assert len({row["decision_id"] for row in rows}) == 21
    assert rows[-1]["route"]["due"] == "2026-01-01T01:00:00+00:00"


def test_model_taxonomy_playbook_and_health_are_shown(client):
    model = client.get("/model").json()
    assert (model["version"], model["problem"], model["limits"]["max_items"]) == ("1", None, 256)
    assert [segment["name"] for segment in client.get("/taxonomy").json()["segments"]] == list(load_taxonomy().labels)
    assert set(client.get("/playbook").json()["segments"]) == set(load_taxonomy().labels)
    assert client.get("/livez").json() == {"status": "alive"}
    assert 'switchboard_decisions_total{label="request"' in client.get("/metrics").text


def test_unknown_paths_and_methods_are_typed(client):
    assert (client.get("/nope").status_code, client.get("/nope").json()["error"]["type"]) == (404, "not_found")
    assert client.get("/classify").status_code == 405


def test_without_keys_other_machines_are_not_answered(client):
    elsewhere = TestClient(client.app, client=("10.0.0.7", 1))
    response = elsewhere.post("/classify", json={"messages": [{"text": "thanks"}]})
    assert (response.status_code, response.json()["error"]["type"]) == (401, "unauthorized")


def test_without_a_champion_it_lives_but_is_not_ready(tmp_path, monkeypatch):
    with running(None, monkeypatch, tmp_path) as client:
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").json()["error"]["type"] == "not_ready"
        assert classify(client, "thanks").status_code == 503
