"""How labelling works: the project on Label Studio, the page, what to label next, and when to retrain."""

from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from configs.loading import Config, load_config
from configs.paths import CONFIGS
from configs.taxonomy import load_taxonomy


class Screen(Config):
    """The page a labeler sees: labels in the order of their keys."""

    order: tuple[str, ...]

    @model_validator(mode="after")
    def _known(self) -> "Screen":
        unknown = set(self.order) - set(load_taxonomy().labels)
        if unknown or len(set(self.order)) != len(self.order):
            raise ValueError(f"order must name labels once each; unknown or twice: {sorted(unknown) or self.order}")
        return self


class Mix(Config):
    """Shares of a batch by the reason a message is chosen for."""

    random: float = Field(ge=0)
    coverage: float = Field(ge=0)
    uncertain: float = Field(ge=0)
    disagreement: float = Field(ge=0)
    rare: float = Field(ge=0)
    audit: float = Field(ge=0)

    @model_validator(mode="after")
    def _not_nothing(self) -> "Mix":
        if sum(self.shares().values()) <= 0:
            raise ValueError("at least one share must be above 0")
        return self

    def shares(self) -> dict[str, float]:
        """Return the shares by strategy, as configured."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class Watch(Config):
    """When new labels are worth a training."""

    every_s: float = Field(gt=0)
    quiet_s: float = Field(ge=0)
    min_new: int = Field(ge=1)
    min_share: float = Field(ge=0, le=1)
    promote: bool = False


class Labeling(Config):
    """The whole of it."""

    project: str = Field(min_length=3, max_length=50)
    screen: Screen
    page_size: int = Field(ge=1, le=1000)
    patience_s: float = Field(ge=0)
    twice_share: float = Field(ge=0, le=1)
    blind_share: float = Field(ge=0, le=1)
    mix: Mix
    pool: int = Field(ge=1)
    clusters: int = Field(ge=1)
    near_duplicate: float = Field(gt=0, le=1)
    watch: Watch

    @property
    def labelers(self) -> int:
        """How many labelers a task is shown to at most."""
        return 2 if self.twice_share > 0 else 1


def load_labeling(overrides: tuple[str, ...] = (), path: Path = CONFIGS / "labeling.yaml") -> Labeling:
    """Return the labelling configuration with `key=value` overrides applied."""
    return _load(path, overrides)


@cache
def _load(path: Path, overrides: tuple[str, ...]) -> Labeling:
    return load_config(Labeling, path, overrides)
