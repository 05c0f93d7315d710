"""What a challenger must show before it may become champion."""

from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from configs.loading import Config, load_config
from configs.paths import CONFIGS


class Gate(Config):
    """Floors on the current test rows, falls allowed against the champion on the same rows, and how much counts."""

    min_macro_f1: float = Field(ge=0, le=1)
    min_label_f1: float = Field(ge=0, le=1)
    min_fraud_recall: float = Field(ge=0, le=1)
    max_spam_sink: float = Field(ge=0, le=1)
    max_fraud_sunk: float = Field(ge=0, le=1)
    max_calibration_error: float = Field(ge=0, le=1)
    max_macro_f1_drop: float = Field(ge=0, le=1)
    max_label_f1_drop: float = Field(ge=0, le=1)
    max_safety_drop: float = Field(ge=0, le=1)
    max_failure_rates: dict[str, float]
    min_rows: int = Field(ge=1)
    min_customer_rows: int = Field(ge=1)

    @model_validator(mode="after")
    def _rates_are_shares(self) -> "Gate":
        for name, rate in self.max_failure_rates.items():
            if not 0 <= rate <= 1:
                raise ValueError(f"max_failure_rates.{name}: {rate} is not between 0 and 1")
        return self


@cache
def load_gate(path: Path = CONFIGS / "gate.yaml") -> Gate:
    """Return the gate in a file."""
    return load_config(Gate, path)
