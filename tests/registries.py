"""A real MLflow on SQLite for each test; its tables are made once, which takes seconds, and copied."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from training.registry import Registry


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow database with tables and nothing in them."""
    from training.registry import Registry  # loads MLflow, which most tests do without

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Registry(f"sqlite:///{path}").versions()
    return path


@pytest.fixture
def registry(var_dir: Path, empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch) -> "Registry":
    """Return an empty registry under the test's own run-time folder."""
    from training.registry import Registry

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    var_dir.mkdir()
    shutil.copy(empty_mlflow, var_dir / "mlflow.db")
    return Registry()
