"""A whole serving process within the test: the application, its client and the folder it follows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from configs.serving import ServingSettings
from serving.assembly import assemble
from training.publish import publish

SCORING_THREADS = 2
FAST = {"follow_seconds": 0.05, "threads": SCORING_THREADS}


@contextmanager
def running(bundle: Path | None, monkeypatch: pytest.MonkeyPatch, var: Path, **settings: Any) -> Iterator[TestClient]:
    """Yield a client of a service on `bundle`, ready if there is one."""
    monkeypatch.setenv("SWITCHBOARD_VAR", str(var))
    if bundle is not None:
        publish(bundle, "1", var / "published")
    app = assemble(ServingSettings.model_validate({**FAST, **settings}))
    with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 1)) as client:
        if bundle is not None:
            wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    """Wait until a condition holds; a test that waits this long in vain fails."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def classify(client: TestClient, *texts: Any, **fields: Any) -> Any:
    """Return the answer to one call with these texts."""
    messages = [{"text": text, **fields} for text in texts]
    return client.post("/classify", json={"messages": messages})
