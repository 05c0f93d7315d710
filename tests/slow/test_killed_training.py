"""A training killed with SIGKILL goes on in the same run and ends with the same figures; two processes log one run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from configs.paths import PROJECT
from tests.bundles import make_bundle
from tests.tiny_base import tiny_rows
from tests.trainings import EPOCHS
from training.predictor import Predictor
from training.registry import Registry, Version

TOGETHER = ("torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m")
TEXTS = [row.message.text for row in tiny_rows(5, seed=7)]
DEADLINE_S = 300


@pytest.fixture
def home(tmp_path: Path, empty_mlflow: Path):
    """Return a function that makes a run-time folder of its own with an empty registry."""

    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(empty_mlflow, folder / "mlflow.db")
        return folder

    return make


def _start(base: Path, home: Path, *launcher: str, given: Sequence[object] = ()) -> subprocess.Popen[str]:
    environment = {**os.environ, "SWITCHBOARD_VAR": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "-m", *launcher, "tests.trainings", str(base), *map(str, given)]
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _finish(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, said
    return said


def _kill_after_first_checkpoint(process: subprocess.Popen[str], home: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not list(home.glob("training/*/student/checkpoints/*/complete")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def _only_version(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Version, np.ndarray]:
    monkeypatch.setenv("SWITCHBOARD_VAR", str(home))
    registry = Registry(f"sqlite:///{home / 'mlflow.db'}")
    client = MlflowClient(registry.uri)
    runs = client.search_runs([client.get_experiment_by_name("switchboard").experiment_id])
    (version,) = registry.versions()
    assert [(run.info.run_id, run.info.status) for run in runs] == [(version.run_id, "FINISHED")]
    return version, Predictor(registry.fetch(version), threads=1).predict(TEXTS).scores


def test_a_killed_training_ends_as_an_uninterrupted_one(tiny_base: Path, home, monkeypatch: pytest.MonkeyPatch):
    whole, killed = home("whole"), home("killed")
    _finish(_start(tiny_base, whole))
    process = _start(tiny_base, killed)
    _kill_after_first_checkpoint(process, killed)
    assert Registry(f"sqlite:///{killed / 'mlflow.db'}").versions() == [], "half a model is never registered"
    assert "going on with recipe 'tiny'" in _finish(_start(tiny_base, killed))
    one, scores = _only_version(whole, monkeypatch)
    other, scores_resumed = _only_version(killed, monkeypatch)
    assert np.array_equal(scores, scores_resumed)
    assert {
        name: value for name, value in one.metrics.items() if "runtime" not in name and "per_second" not in name
    } == {name: value for name, value in other.metrics.items() if "runtime" not in name and "per_second" not in name}


def test_two_processes_train_one_model_and_log_one_run(tiny_base: Path, home, monkeypatch: pytest.MonkeyPatch):
    alone, together = home("alone"), home("together")
    _finish(_start(tiny_base, alone))
    said = _finish(_start(tiny_base, together, *TOGETHER))
    assert said.count("training recipe 'tiny'") == said.count("bundle ") == 1
    assert not list(together.glob("training/*"))
    one, _ = _only_version(alone, monkeypatch)
    other, _ = _only_version(together, monkeypatch)
    assert (
        len(MlflowClient(f"sqlite:///{together / 'mlflow.db'}").get_metric_history(other.run_id, "train_eval_macro_f1"))
        == EPOCHS
    )
    # The same batches in the same order: the losses differ by dropout and rounding alone.
    assert abs(one.metrics["train_eval_loss"] - other.metrics["train_eval_loss"]) < 0.15
    assert other.metrics["macro_f1"] > 0.8


def test_two_processes_learn_what_a_teacher_answers(
    tiny_base: Path, home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archive, teacher = tmp_path / "archive.jsonl", make_bundle(tmp_path / "teacher")
    rows = tiny_rows(10, seed=9, prefix="a")
    archive.write_text("".join(json.dumps({"text": row.message.text}) + "\n" for row in rows), encoding="utf-8")
    alone, together = home("alone"), home("together")
    _finish(_start(tiny_base, alone, given=(archive, teacher)))
    said = _finish(_start(tiny_base, together, *TOGETHER, given=(archive, teacher)))
    assert said.count("tiny answers 90 archive messages") == said.count("bundle ") == 1
    one, _ = _only_version(alone, monkeypatch)
    other, _ = _only_version(together, monkeypatch)
    assert abs(one.metrics["train_eval_loss"] - other.metrics["train_eval_loss"]) < 0.15
    assert other.tags["teacher"] == "tiny" and other.metrics["macro_f1"] > 0.8
