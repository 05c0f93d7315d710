"""The seed's network in its forms: plain fp32, int8, and int8 students of fewer layers."""

from collections.abc import Callable, Sequence
from pathlib import Path

from configs.paths import var_dir
from configs.recipe import load_recipe
from flows.seed_bundle import seed_bundle
from flows.training_set import seed_training_set
from training.examples import as_examples
from training.setup import make_ready
from training.warm import seed_network_path


def make_variants(layers: Sequence[int], epochs: int, say: Callable[[str], None]) -> dict[str, Path]:
    """Return bundles by name; one that was made of the same network before is not made again."""
    setup = make_ready(load_recipe("full"))
    network = seed_network_path(setup, as_examples(seed_training_set(setup.recipe).fit))
    home = var_dir() / "benchmarks" / "frontier" / network.stem
    wanted = {"plain fp32": ("precision=fp32",), "int8": ("precision=int8",)} | {
        f"{count} layers, int8": ("precision=int8", f"layers={count}", f"distil_epochs={epochs}") for count in layers
    }
    made = {name: home / "-".join(changes).replace("=", "-") for name, changes in wanted.items()}
    for name, folder in made.items():
        if not folder.exists():
            say(f"making {name}")
            seed_bundle(load_recipe("full", wanted[name]), folder, "benchmark", say=say)
    return made
