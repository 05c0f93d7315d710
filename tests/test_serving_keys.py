from pathlib import Path

import pytest
import yaml

from configs.errors import SwitchboardError
from serving.keys import Bucket, Keys, check_binding, hash_key, is_loopback, load_keys, new_key
from tests.serving import running

SECRETS = {"router": "sb_router", "agents": "sb_agents", "ops": "sb_ops"}


@pytest.fixture(scope="module")
def client(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("var")
    keys = [
        {"name": "router", "sha256": hash_key(SECRETS["router"]), "scopes": ["classify"]},
        {"name": "agents", "sha256": hash_key(SECRETS["agents"]), "scopes": ["feedback"], "calls_per_minute": 2},
        {"name": "ops", "sha256": hash_key(SECRETS["ops"]), "scopes": ["admin"]},
    ]
    (folder / "keys.yaml").write_text(yaml.safe_dump({"keys": keys}))
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        running(tiny_bundle, monkeypatch, folder, keys_file=folder / "keys.yaml") as it,
    ):
        yield it


def call(client, path: str, secret: str | None, scheme: str = "Bearer "):
    headers = {"authorization": scheme + secret} if secret is not None else {}
    bodies = {"/classify": {"messages": [{"text": "thanks"}]}, "/feedback": {"message_id": "m", "label": "praise"}}
    return client.post(path, json=bodies[path], headers=headers)


@pytest.mark.parametrize("secret", [None, "", "sb_wrong", "sb_router "])
def test_no_key_or_a_wrong_one_is_unauthorized(client, secret):
    response = call(client, "/classify", secret)
    expected = 200 if secret == "sb_router " else 401
    assert response.status_code == expected


def test_a_key_opens_its_scopes_only(client):
    assert call(client, "/classify", SECRETS["router"]).status_code == 200
    assert call(client, "/feedback", SECRETS["router"]).json()["error"]["type"] == "unauthorized"
    assert call(client, "/classify", SECRETS["ops"]).status_code == 200


def test_the_header_x_api_key_will_do(client):
    assert client.get("/model", headers={"x-api-key": SECRETS["router"]}).status_code == 200
    assert client.get("/model").status_code == 401


def test_health_and_metrics_need_no_key(client):
    assert [client.get(path).status_code for path in ("/livez", "/readyz", "/metrics")] == [200, 200, 200]


def test_a_key_that_calls_too_often_is_told_when_to_come_back(client):
    statuses = [call(client, "/feedback", SECRETS["agents"]) for _ in range(3)]
    assert [response.status_code for response in statuses] == [200, 200, 429]
    assert 1 <= int(statuses[-1].headers["retry-after"]) <= 31


def test_secrets_are_never_logged(client, caplog):
    with caplog.at_level("DEBUG"):
        call(client, "/classify", SECRETS["router"])
        call(client, "/classify", "sb_wrong")
    assert "sb_" not in caplog.text


def test_without_keys_only_this_machine_may_listen():
    check_binding("127.0.0.1", Keys())
    with pytest.raises(SwitchboardError, match="without API keys"):
        check_binding("0.0.0.0", Keys())


def test_loopback_is_told_from_the_rest():
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "testclient")] == [True] * 3 + [
        False
    ] * 2


def test_a_bucket_refills_with_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("serving.keys.monotonic", lambda: now[0])
    bucket = Bucket(60)
    assert [bucket.take() for _ in range(60)] == [0.0] * 60
    assert bucket.take() == pytest.approx(1.0)
    now[0] = 1.0
    assert bucket.take() == 0.0


@pytest.mark.parametrize(("text", "said"), [
    ("keys: []", "keys"), ("keys: [{name: a, sha256: short}]", "sha256"),
    (f"keys: [{{name: a, sha256: {'a' * 64}}}, {{name: a, sha256: {'b' * 64}}}]", "stands twice"),
])  # fmt: skip
def test_a_wrong_key_file_is_refused(text, said, tmp_path):
    (tmp_path / "keys.yaml").write_text(text)
    with pytest.raises(SwitchboardError, match=said):
        load_keys(tmp_path / "keys.yaml", 10)


def test_new_keys_are_long_and_differ():
    assert len(new_key()) > 40 and new_key() != new_key()
