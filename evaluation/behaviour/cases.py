"""Behaviour cases, read from the YAML files beside this one and spread into forms of the same message."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from configs.loading import Config, load_config
from configs.taxonomy import load_taxonomy

FOLDER = Path(__file__).parent
REVIEW = "review"
Kind = Literal["invariance", "direction", "fairness", "minimum"]


class Suite(Config):
    """One thing a model must hold to, with its cases as whole pairs, as texts in frames, or as texts with values."""

    name: str
    kind: Kind
    says: str
    expect: tuple[str, ...] = ()
    toward: str = ""
    max_shift: float = Field(default=1.0, gt=0, le=1)
    texts: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    pairs: tuple[tuple[str, ...], ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> "Suite":
        known = {*load_taxonomy().labels, REVIEW}
        if (self.kind == "minimum") != bool(self.expect) or (self.kind == "direction") != bool(self.toward):
            raise ValueError(f"{self.name}: `expect` belongs to minimum suites and `toward` to direction suites")
        if unknown := ({*self.expect, self.toward} - known - {""}):
            raise ValueError(f"{self.name}: no label is called {sorted(unknown)}")
        if not self.forms():
            raise ValueError(f"{self.name}: give it texts or pairs")
        return self

    def forms(self) -> list[tuple[str, ...]]:
        """Return for each case its forms, the plain one first."""
        if self.pairs:
            return list(self.pairs)
        if self.values:
            return [tuple(text.replace("{value}", value) for value in self.values) for text in self.texts]
        frames = self.frames or ("{text}",)
        return [tuple(_fill(frame, text) for frame in frames) for text in self.texts]


class SuiteFile(Config):
    """A file of suites; `sentences` are shared by them through YAML anchors."""

    sentences: tuple[str, ...] = ()
    suites: tuple[Suite, ...]


@cache
def load_suites(folder: Path = FOLDER) -> tuple[Suite, ...]:
    """Return the suites of every file, in the order of the files' names."""
    return tuple(suite for path in sorted(folder.glob("*.yaml")) for suite in load_config(SuiteFile, path).suites)


def _fill(frame: str, text: str) -> str:
    return frame.replace("{text}", text).replace("{upper}", text.upper()).replace("{lower}", text.lower())
