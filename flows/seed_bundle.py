"""A bundle of the seed's network, which is kept: other forms of it cost no second training."""

from collections.abc import Callable
from pathlib import Path

from configs.recipe import Recipe
from flows.training_set import seed_training_set
from training.archive import Archive
from training.bundle import BundleInfo
from training.examples import as_examples
from training.finetune import FineTuned
from training.learn import Learnt, seen_mix
from training.opinions import with_opinions
from training.run import seal_learnt
from training.setup import make_ready
from training.warm import seed_network


def seed_bundle(
    recipe: Recipe, folder: Path, commit: str, say: Callable[[str], None] = lambda line: None, *,
    archive: Archive | None = None,
) -> BundleInfo:  # fmt: skip
    """Seal the network of the seed to `folder` with the layers and precision of a recipe; learnt only if none is kept.

    Where layers are left out, an archive shows the smaller network more texts. Its work lies beside `folder`, so that a killed run goes on.
    """
    setup = make_ready(recipe)
    parts = seed_training_set(recipe)
    examples = with_opinions(as_examples(parts.fit), setup)
    work = folder.parent / f".{folder.name}-work"
    work.mkdir(parents=True, exist_ok=True)
    network = seed_network(setup, examples, work / "seed", say=say)
    learnt = Learnt(FineTuned(network, []), parts.holdout, seen_mix(setup, examples), "fine_tune", archive=archive)
    return seal_learnt(setup, learnt, examples, parts.holdout, folder, commit, work, say)
