"""The bento: built by the command, whole without the project beside it, and served from its own folder."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.processes import PROJECT
from tests.serving import wait_until
from training.publish import publish

# Without the editable install, which would quietly find in the project what the bento lacks.
IMPORT_ALL = """
import importlib, pathlib, sys
sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in getattr(one, "__module__", "")]
found = [importlib.import_module(f"serving.{path.stem}") for path in sorted(pathlib.Path("serving").glob("*.py"))]
importlib.import_module("data.ledger")
assert all(one.__file__.startswith(str(pathlib.Path.cwd())) for one in found), found
assert not {"torch", "mlflow", "transformers", "labeling", "evaluation"} & set(sys.modules)
print(len(found))
"""


@pytest.fixture(scope="module")
def environment(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    var = tmp_path_factory.mktemp("var")
    publish(tiny_bundle, "1", var / "published")
    kept = {name: value for name, value in os.environ.items() if name != "SWITCHBOARD_DATABASE_URL"}
    own = {"SWITCHBOARD_VAR": str(var), "BENTOML_HOME": str(var / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    return {**kept, **own}


@pytest.fixture(scope="module")
def bento(environment: dict[str, str]) -> Path:
    command = [sys.executable, "-m", "switchboard", "bento", "--json"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout.splitlines()[-1])["path"])


def test_it_holds_the_service_and_nothing_that_trains(bento, environment):
    lines = (bento / "env" / "python" / "requirements.txt").read_text().splitlines()
    required = {line.split("==")[0] for line in lines}
    assert "onnxruntime" in required and not {"torch", "mlflow", "transformers"} & required
    assert sum(path.stat().st_size for path in bento.rglob("*") if path.is_file()) < 2_000_000
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        cwd=bento / "src",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and int(done.stdout) > 20, done.stderr


def test_it_answers_from_its_own_folder(bento, environment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bentoml", "serve", str(bento), "--host", "127.0.0.1", "--port", str(port)]
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        try:
            return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(is_ready, 120)
        answer = httpx.post(
            f"{url}/classify", json={"messages": [{"text": "my router is broken"}, {"text": 7}]}, timeout=30
        )
        decision, error = answer.json()["results"]
        assert (decision["label"], decision["model_version"]) == ("request", "1")
        assert error["error"]["type"] == "invalid_request"
        assert httpx.get(f"{url}/nope", timeout=30).json()["error"]["type"] == "not_found"
        logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
        assert any(
            line["event"] == "answered" and line["request_id"] == answer.headers["X-Request-ID"] for line in logged
        )
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()
