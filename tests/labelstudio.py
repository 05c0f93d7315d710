"""A real Label Studio for the tests: started once a session on a private port, with two labelers."""

import os
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from configs.errors import SwitchboardError
from configs.paths import PROJECT
from labeling.client import Client
from labeling.install import ensure_installed
from labeling.server import Account, read_account, running_url, start, stop

PASSWORD = "a-password-for-tests"


@dataclass(frozen=True)
class LabelStudio:
    url: str
    account: Account

    def client(self, key: str = "", patience_s: float = 20.0) -> Client:
        return Client(self.url, key or self.account.token, patience_s)


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    """Yield a server of its own; without a network to install it from, skip (but fail in CI)."""
    if folder := os.environ.get("SWITCHBOARD_TEST_LS"):  # one left running by hand, for quick rounds
        yield LabelStudio(running_url(Path(folder)) or "", read_account(Path(folder)))
        return
    folder = tmp_path_factory.mktemp("label-studio")
    try:
        program = ensure_installed(Path(os.environ.get("SWITCHBOARD_LS_VENV") or PROJECT / ".venv-label"))
    except SwitchboardError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    try:
        server = start(program, free_port(), folder)
        yield LabelStudio(server.url, server.account)
    finally:
        stop(folder)


@pytest.fixture
def admin(label_studio: LabelStudio) -> Iterator[Client]:
    with label_studio.client() as client:
        yield client


@pytest.fixture(scope="session")
def labelers(label_studio: LabelStudio) -> dict[str, Client]:
    """Return a client for each of two labelers, made as a team would: by invitation."""
    return {name: _invite(label_studio, f"{name}-{uuid.uuid4().hex[:6]}@example.com") for name in ("ann", "ben")}


def _invite(server: LabelStudio, email: str) -> Client:
    with server.client() as admin:
        link = admin.get("/api/invite")["invite_url"]
    with httpx.Client(base_url=server.url, timeout=60) as browser:
        browser.get(link)
        form = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post(link, data=form).status_code == 302
        token = browser.get("/api/current-user/token").json()["token"]
    return server.client(token)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
