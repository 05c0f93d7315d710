"""The labels: the one list everything else derives from."""

from functools import cache
from pathlib import Path

from pydantic import model_validator

from configs.loading import Config, load_config
from configs.paths import CONFIGS

NONE = "none"  # the ninth annotation value, "belongs nowhere": taught and tested, never a class nor an API label


class Segment(Config):
    """One label: who owns it, what it means, where it ends, and two of our own examples."""

    name: str
    team: str
    title: str
    definition: str
    boundaries: tuple[str, ...]
    examples: tuple[str, str]


class Taxonomy(Config):
    """The ordered, versioned labels; a label's position is its class id."""

    version: str
    segments: tuple[Segment, ...]
    precedence: tuple[str, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "Taxonomy":
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label is listed twice")
        if sorted(self.precedence) != sorted(self.labels):
            raise ValueError("precedence must name each label exactly once")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names in class-id order."""
        return tuple(segment.name for segment in self.segments)

    @property
    def annotation_values(self) -> tuple[str, ...]:
        """The labels and `none`: what a person may say of a message."""
        return (*self.labels, NONE)

    def __getitem__(self, label: str) -> Segment:
        return self.segments[self.labels.index(label)]


@cache
def load_taxonomy(path: Path = CONFIGS / "taxonomy.yaml") -> Taxonomy:
    """Return the taxonomy in a file, read once."""
    return load_config(Taxonomy, path)
