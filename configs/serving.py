"""How the service runs: every limit it keeps is a key here, shown by `/model`."""

import os
from pathlib import Path

from pydantic import Field, model_validator

from configs.loading import Config, load_config
from configs.paths import CONFIGS

PREFIX = "SWITCHBOARD_SERVE_"


class Limits(Config):
    """What one call may ask for, and how long it may take."""

    max_items: int = Field(default=256, ge=1, le=10_000)
    max_characters: int = Field(default=20_000, ge=1, le=20_000)
    max_body_bytes: int = Field(default=2 << 20, ge=1024)
    max_depth: int = Field(default=8, ge=3, le=64)
    max_header_bytes: int = Field(default=16_384, ge=1024)
    body_timeout_s: float = Field(default=10.0, gt=0)
    deadline_s: float = Field(default=10.0, gt=0)
    queue_messages: int = Field(default=2048, ge=1)


class ServingSettings(Config):
    """One serving process."""

    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65_535)
    limits: Limits = Limits()
    threads: int = Field(default=0, ge=0)  # that score, each a batch of its own; 0: one a processor, at least two
    batch_tokens: int = Field(default=2048, ge=64)
    cache_entries: int = Field(default=20_000, ge=0)
    follow_seconds: float = Field(default=2.0, gt=0)
    grace_s: float = Field(default=20.0, gt=0)
    keys_file: Path | None = None
    calls_per_minute: int = Field(default=60_000, ge=1)  # of each key
    log_decisions: bool = True
    log_texts: bool = True
    log_queue: int = Field(default=10_000, ge=1)
    keep_decisions_days: int | None = Field(default=None, ge=1)
    labelling_window_days: int | None = Field(default=None, ge=1)  # afterwards stored texts are masked
    max_spill_bytes: int = Field(default=1 << 30, ge=0)

    @model_validator(mode="after")
    def _decisions_outlive_the_window(self) -> "ServingSettings":
        kept, window = self.keep_decisions_days, self.labelling_window_days
        if kept is not None and window is not None and kept <= window:  # texts to mask are found by their decisions
            raise ValueError(f"keep_decisions_days={kept} must be more than labelling_window_days={window}")
        return self

    @model_validator(mode="after")
    def _queue_holds_a_call(self) -> "ServingSettings":
        if self.limits.queue_messages < self.limits.max_items:
            raise ValueError("limits.queue_messages must be at least limits.max_items, or the largest call never fits")
        return self


def load_serving(path: Path = CONFIGS / "serving.yaml") -> ServingSettings:
    """Return the settings of a file, with the environment's in their place."""
    return load_config(ServingSettings, path, environment_overrides())


def environment_overrides() -> tuple[str, ...]:
    """Return `key=value` for each SWITCHBOARD_SERVE_ variable; `__` reaches into nested keys."""
    found = sorted((name, value) for name, value in os.environ.items() if name.startswith(PREFIX))
    return tuple(f"{name.removeprefix(PREFIX).lower().replace('__', '.')}={value}" for name, value in found)


def use_settings(settings: ServingSettings) -> ServingSettings:
    """Put settings into the environment, where the service's process finds them; return them."""
    for name, value in settings.model_dump(mode="json").items():
        nested = value if isinstance(value, dict) else None
        for inner, one in (nested or {"": value}).items():
            os.environ[PREFIX + (f"{name}__{inner}" if nested else name).upper()] = "null" if one is None else str(one)
    return settings
