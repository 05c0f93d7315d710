"""The service as its users start it: a process of its own, with its own run-time folder."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.serving import wait_until

PROJECT = Path(__file__).resolve().parent.parent


@dataclass
class Service:
    """A running service."""

    process: "subprocess.Popen[str]"
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return httpx.post(self.url + path, json=body, timeout=30, **options)

    def is_ready(self) -> bool:
        try:
            return httpx.get(self.url + "/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


def command(*arguments: str, var: Path, **environment: str) -> "subprocess.Popen[str]":
    """Start the command line."""
    env = {**os.environ, "SWITCHBOARD_VAR": str(var), "PYTHONUNBUFFERED": "1", **environment}
    return subprocess.Popen(
        [sys.executable, "-m", "switchboard", *arguments], cwd=PROJECT, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@contextmanager
def serving(var: Path, *settings: str, **environment: str) -> Iterator[Service]:
    """Yield a ready service on a free port; it is stopped afterwards if it still runs."""
    options = [option for setting in ("follow_seconds=0.1", *settings) for option in ("--set", setting)]
    stderr = (var / "service.log").open("a")
    process = subprocess.Popen(
        [sys.executable, "-m", "switchboard", "serve", "--port", "0", *options], cwd=PROJECT, text=True,
        env={**os.environ, "SWITCHBOARD_VAR": str(var), **environment}, stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert found, (var / "service.log").read_text()
        service = Service(process, found[0])
        wait_until(service.is_ready, 60)
        yield service
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        stderr.close()
