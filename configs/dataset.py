"""How labels are resolved, sides drawn and data checked before training."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from configs.loading import Config, load_config
from configs.paths import CONFIGS

# seed: our corpus; import: a file; labeler: Label Studio; feedback: a router or agent; review: a person settling doubt
Origin = Literal["seed", "import", "labeler", "feedback", "review"]


class Policy(Config):
    """Who decides when several people said several things of one message; recorded in each snapshot."""

    version: str
    trusted_annotators: tuple[str, ...] = ()
    trusted_origins: tuple[Origin, ...] = ("review",)
    origins: tuple[Origin, ...]


class Checks(Config):
    """The bounds of `data check`; shares are of all rows."""

    min_per_label: int = Field(ge=1)
    min_test_per_label: int = Field(ge=0)
    max_ratio: float = Field(gt=1)
    max_conflict_share: float = Field(ge=0, le=1)
    max_author_share: float = Field(gt=0, le=1)


class DatasetConfig(Config):
    """The whole file."""

    test_share: float = Field(gt=0, lt=1)
    seed_test_share: float = Field(gt=0, lt=1)
    near_duplicate: float = Field(gt=0, le=1)
    policy: Policy
    checks: Checks


@cache
def load_dataset_config(path: Path = CONFIGS / "dataset.yaml") -> DatasetConfig:
    """Return the configuration in a file, read once."""
    return load_config(DatasetConfig, path)
