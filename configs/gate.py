"""What a challenger must show before it may become champion."""

from pathlib import Path

from pydantic import Field

from configs.loading import Config, load_config
from configs.paths import CONFIGS


class Gate(Config):
    """Floors on the current test rows, and drops against the champion on the same rows."""

    min_macro_f1: float = Field(ge=0, le=1)
    max_macro_f1_drop: float = Field(ge=0, le=1)
    max_label_f1_drop: float = Field(ge=0, le=1)
    max_spam_sink: float = Field(ge=0, le=1)
    max_fraud_sunk: float = Field(ge=0, le=1)
    max_calibration_error: float = Field(ge=0, le=1)


def load_gate(path: Path = CONFIGS / "gate.yaml") -> Gate:
    """Return the gate in a file."""
    return load_config(Gate, path)
