"""Switches of the libraries we stand on that must be set before they are imported."""

import os

_DEFAULTS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "BENTOML_DO_NOT_TRACK": "True",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
}


def settle_libraries() -> None:
    """Turn off telemetry and chatter of the libraries, unless the environment says otherwise."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
