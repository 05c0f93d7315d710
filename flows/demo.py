"""The demo: train quickly, promote, serve, and classify ten messages over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from configs.errors import SwitchboardError
from configs.paths import PROJECT, published_dir
from configs.recipe import load_recipe
from flows.model import Say, promote_version, train_version
from flows.training_set import seed_training_set
from training.publish import read_champion
from training.registry import Registry

START_SECONDS = 60


def run_demo(say: Say) -> list[tuple[str, dict[str, Any]]]:
    """Return the demo's messages with the decisions that the running service gave on them."""
    ensure_champion(say)
    messages = yaml.safe_load((Path(__file__).parent / "demo_messages.yaml").read_text(encoding="utf-8"))
    with serving(say) as address:
        say(f"sending {len(messages)} messages to {address}/classify")
        answer = _post(f"{address}/classify", {"messages": [{"text": text, "channel": "twitter"} for text in messages]})
    say("the service has stopped")
    return list(zip(messages, answer["results"], strict=True))


def ensure_champion(say: Say) -> None:
    """Train the quick recipe and promote it, unless there is a champion already."""
    champion = read_champion(published_dir())
    if champion is not None:
        say(f"champion version {champion.version} is already published ({champion.name}); nothing to train")
        return
    recipe, registry = load_recipe("quick"), Registry()
    new = train_version(recipe, seed_training_set(recipe), say, registry)
    if not new.verdict.passed:
        raise SwitchboardError(f"the gate refuses version {new.version.version}: {'; '.join(new.verdict.reasons)}")
    promote_version(registry, new.version, say, reason="demo")


@contextmanager
def serving(say: Say) -> Iterator[str]:
    """Run `switchboard serve` on a free port until the block ends; its log is shown only where it fails to start."""
    port = _free_port()
    command = [sys.executable, "-m", "switchboard", "serve", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    say(f"starting the service on {address}")
    log = published_dir().parent / "demo-serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output, start_new_session=True)
        try:
            _wait_until_ready(address, process, log)
            yield address
        finally:
            with suppress(ProcessLookupError):  # it ended by itself, and the reason is on its way up
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    what = f"was not ready within {START_SECONDS} s" if process.poll() is None else f"ended with {process.returncode}"
    raise SwitchboardError(f"the service {what}; its log {log} ends:\n{tail}")


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
