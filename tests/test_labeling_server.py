"""A server of our own: secrets kept private, a taken port named, PostgreSQL by address."""

import json
import socket

import pytest

from configs.errors import SwitchboardError
from labeling.client import connect
from labeling.server import _database, read_account, running_url, start, stop


def test_the_account_is_made_once_and_kept_private(tmp_path):
    account = read_account(tmp_path)
    assert read_account(tmp_path) == account
    assert (tmp_path / "account.json").stat().st_mode & 0o777 == 0o600
    assert len(account.token) == 40


def test_the_account_may_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_USERNAME", "lead@example.com")
    assert read_account(tmp_path).username == "lead@example.com"


def test_a_taken_port_is_named_with_its_remedy(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SwitchboardError, match=r"in use.*--port"):
            start(tmp_path / "label-studio", other.getsockname()[1], tmp_path)


def test_a_process_number_given_to_somebody_else_is_not_our_server(tmp_path):
    (tmp_path / "server.json").write_text(json.dumps({"pid": 1, "port": 8080}))
    assert running_url(tmp_path) is None
    assert not stop(tmp_path)


def test_postgresql_is_taken_from_its_address(tmp_path, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_DATABASE_URL", "postgresql://ann:p%40ss@db:5433/labels")
    found = _database(tmp_path)
    assert (found["POSTGRE_HOST"], found["POSTGRE_PORT"], found["POSTGRE_PASSWORD"]) == ("db", "5433", "p@ss")
    for wrong in ("mysql://db/labels", "postgresql://db:port/labels"):
        monkeypatch.setenv("LABEL_STUDIO_DATABASE_URL", wrong)
        with pytest.raises(SwitchboardError, match="postgresql://"):
            _database(tmp_path)


def test_without_a_server_the_way_to_one_is_said(var_dir, monkeypatch):
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SwitchboardError, match="label up"):
        connect()
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://localhost:1")
    with pytest.raises(SwitchboardError, match="LABEL_STUDIO_API_KEY is not set"):
        connect()
