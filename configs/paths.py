"""Where things made at run time lie: `var/` beside the code, or the folder named by SWITCHBOARD_VAR."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CONFIGS = PROJECT / "configs"


def var_dir() -> Path:
    """Return the run-time folder; it need not exist yet."""
    return Path(os.environ.get("SWITCHBOARD_VAR") or PROJECT / "var").resolve()


def database_url() -> str:
    """Return the ledger's database: SWITCHBOARD_DATABASE_URL, else SQLite under the run-time folder."""
    return os.environ.get("SWITCHBOARD_DATABASE_URL") or f"sqlite:///{var_dir() / 'ledger.db'}"


def tracking_uri() -> str:
    """Return the MLflow server or database: MLFLOW_TRACKING_URI, else SQLite under the run-time folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{var_dir() / 'mlflow.db'}"


def published_dir() -> Path:
    """Return the folder of published bundles and the champion's pointer file, which the service reads."""
    return Path(os.environ.get("SWITCHBOARD_PUBLISHED") or var_dir() / "published").resolve()
