"""The seed's network in its forms: plain fp32, int8, and int8 students that are smaller."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.paths import var_dir
from configs.recipe import load_recipe
from flows.seed_bundle import seed_bundle
from flows.training_set import seed_training_set
from training.archive import Archive
from training.examples import as_examples
from training.setup import make_ready
from training.warm import seed_network_path


@dataclass(frozen=True, slots=True)
class Size:
    """What a student keeps: layers, and neurons of each feed-forward block where they are fewer too."""

    layers: int
    neurons: int | None = None

    @classmethod
    def of(cls, text: str) -> "Size":
        """Return the size that is written as `3`, or as `3x1152`."""
        layers, _, neurons = text.partition("x")
        return cls(int(layers), int(neurons) if neurons else None)

    @property
    def changes(self) -> tuple[str, ...]:
        """The recipe's keys that ask for it."""
        return (f"layers={self.layers}", *([f"neurons={self.neurons}"] if self.neurons else []))

    @property
    def name(self) -> str:
        """How it is called."""
        return f"{self.layers} layers" + (f" of {self.neurons} neurons" if self.neurons else "")


def make_variants(
    sizes: Sequence[Size], epochs: int, archive: Path | None, say: Callable[[str], None]
) -> dict[str, Path]:
    """Return bundles by name; one that was made of the same network before is not made again.

    With an archive the students are shown its messages beside the seed's.
    """
    setup = make_ready(load_recipe("full"))
    network = seed_network_path(setup, as_examples(seed_training_set(setup.recipe).fit))
    home = var_dir() / "benchmarks" / "frontier" / network.stem
    made = {
        "plain fp32": _make(home, ("precision=fp32",), None, say), "int8": _make(home, ("precision=int8",), None, say)
    }  # fmt: skip
    for size in sizes:
        changes = ("precision=int8", *size.changes, f"distil_epochs={epochs}")
        made[f"{size.name}, int8" + (", shown an archive" if archive else "")] = _make(home, changes, archive, say)
    return made


def _make(home: Path, changes: tuple[str, ...], archive: Path | None, say: Callable[[str], None]) -> Path:
    shown = [hashlib.sha256(archive.read_bytes()).hexdigest()[:8]] if archive else []
    folder = home / "-".join([*changes, *shown]).replace("=", "-")
    if not folder.exists():
        say(f"making {folder.name}")
        given = Archive(archive) if archive else None
        seed_bundle(load_recipe("full", changes), folder, "benchmark", say=say, archive=given)
    return folder
