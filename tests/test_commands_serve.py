import os
import socket
from pathlib import Path

import pytest

from configs.serving import ServingSettings, environment_overrides, load_serving, use_settings
from serving.keys import hash_key, load_keys
from tests.test_commands_classify import run
from training.publish import publish


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch):
    before = dict(os.environ)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]


@pytest.fixture
def published(tiny_bundle: Path, var_dir: Path) -> Path:
    publish(tiny_bundle, "1", var_dir / "published")
    return var_dir


def refused(monkeypatch, capsys, *arguments: str) -> str:
    assert run(monkeypatch, "serve", *arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_port_in_use_is_said_in_one_line(published, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        error = refused(monkeypatch, capsys, "--port", str(taken.getsockname()[1]))
    assert "choose another port" in error


def test_without_a_champion_it_says_how_to_get_one(var_dir, monkeypatch, capsys):
    assert "no champion yet" in refused(monkeypatch, capsys, "--port", "0")


def test_it_refuses_the_network_without_keys(published, monkeypatch, capsys):
    assert "without API keys" in refused(monkeypatch, capsys, "--host", "0.0.0.0", "--port", "0")


@pytest.mark.parametrize(("setting", "said"), [
    ("prot=1", "did you mean 'port'"), ("limits.max_item=1", "did you mean 'max_items'"), ("port=many", "port"),
    ("limits.queue_messages=5", "at least limits.max_items"), ("port", "write key=value"),
])  # fmt: skip
def test_a_wrong_setting_names_the_right_one(setting, said, published, monkeypatch, capsys):
    assert said in refused(monkeypatch, capsys, "--set", setting)


def test_every_setting_is_an_environment_variable(monkeypatch):
    monkeypatch.setenv("SWITCHBOARD_SERVE_PORT", "8080")
    monkeypatch.setenv("SWITCHBOARD_SERVE_LIMITS__MAX_ITEMS", "7")
    assert environment_overrides() == ("limits.max_items=7", "port=8080")
    assert (load_serving().port, load_serving().limits.max_items) == (8080, 7)


def test_settings_reach_the_services_process():
    settings = ServingSettings.model_validate({"port": 81, "log_texts": False, "limits": {"deadline_s": 2.5}})
    use_settings(settings)
    assert load_serving() == settings


def test_a_key_is_shown_once_and_its_entry_opens_the_service(tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, "key", "router", "--scope", "classify") == 0
    lines = capsys.readouterr().out.splitlines()
    (tmp_path / "keys.yaml").write_text("keys:\n" + "\n".join(lines[2:]) + "\n")
    assert load_keys(tmp_path / "keys.yaml", 10)
    assert hash_key(lines[0].split(": ")[1]) in lines[2] + lines[3]


def test_a_key_with_an_unknown_scope_is_refused(monkeypatch, capsys):
    assert run(monkeypatch, "key", "router", "--scope", "everything") == 2
    assert "scopes" in capsys.readouterr().err
