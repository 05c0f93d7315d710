"""A company's rows beside the seed: the network of the seed, learnt once and kept, goes on learning from them.

Minutes instead of a whole training, and what the company says weighs more than what was written for everybody.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from datasets import Dataset
from safetensors.torch import load_model, save_model
from transformers.trainer_callback import TrainerCallback

from configs.paths import var_dir
from data.corpus import SEED_SOURCE
from training.code import digest_of_code
from training.examples import Example
from training.finetune import FineTuned
from training.model import MessageClassifier
from training.opinions import digest_of_opinions
from training.parts import fingerprint
from training.processes import is_first
from training.setup import Setup

Callbacks = tuple[TrainerCallback, ...]
Say = Callable[[str], None]
LEAST_REPLAYED = 2000
REPLAYED_BESIDE_ARCHIVE = 0.4  # rows of the seed for each of an archive, which has few of the rare labels
_AFTER = {  # keys of the recipe that do not matter to the network of the seed
    "name", "caution", "method", "few_labels", "contrastive_steps", "contrastive_rate", "folds", "customer_weight",
    "customer_holdout", "archive_rows", "archive_confidence", "archive_weight", "adapt_epochs", "adapt_rate",
    "adapt_batch_size", "adapt_seed", "adapt_keep", "replay", "layers", "neurons", "distil_epochs", "precision",
    "deployed_mix", "deployed_outside",
}  # fmt: skip


def is_mixed(examples: Sequence[Example]) -> bool:
    """Return whether there are rows of the seed and of a company among the examples."""
    return len({example.row.message.source == SEED_SOURCE for example in examples}) == 2


def learn_beside_seed(
    setup: Setup, examples: Sequence[Example], holdout: Dataset, folder: Path, callbacks: Callbacks, say: Say
) -> tuple[FineTuned, list[Example]]:
    """Return the seed's network after learning the company's rows, and the examples that this was done with.

    What keeps what the network knew: `replay` rows of the seed for each that the company labelled or
    REPLAYED_BESIDE_ARCHIVE for each of its archive (the more of both, and no fewer than LEAST_REPLAYED), and
    `adapt_keep`, the share of its encoder in the average of before and after.
    """
    seed = [example for example in examples if example.row.message.source == SEED_SOURCE]
    own = [example for example in examples if example.row.message.source != SEED_SOURCE]
    network = seed_network(setup, seed, folder / "seed", callbacks, say)
    recipe = setup.recipe
    labelled = sum(example.scores is None for example in own)  # the others are an archive's
    archived = round(REPLAYED_BESIDE_ARCHIVE * (len(own) - labelled))
    count = min(len(seed), max(LEAST_REPLAYED, round(recipe.replay * labelled), archived))
    draw = recipe.seed if recipe.adapt_seed is None else recipe.adapt_seed
    chosen = [*own, *random.Random(draw).sample(seed, count)]
    beside = f", {len(own) - labelled} of the archive" if len(own) > labelled else ""
    say(
        f"going on from the network of {len(seed)} seed messages: {labelled} labelled of your own{beside}, {count} of the seed again"
    )
    adapting = recipe.model_copy(update={
        "epochs": recipe.adapt_epochs, "batch_size": recipe.adapt_batch_size, "learning_rate": recipe.adapt_rate,
        "head_learning_rate": 5 * recipe.adapt_rate, "keep_pretrained": recipe.adapt_keep, "seed": draw,
    })  # fmt: skip
    tuned = replace(setup, recipe=adapting).fine_tuned(chosen, holdout, folder / "adapted", callbacks, network)
    return tuned, chosen


def keep_network(setup: Setup, examples: Sequence[Example], tuned: FineTuned) -> None:
    """Keep the network learnt from seed examples alone, for the trainings that go on from it.

    That is the one of the last epoch, as `seed_network` learns it: one that was best before is not kept.
    """
    of_seed = all(example.row.message.source == SEED_SOURCE for example in examples)
    if not (is_first() and of_seed and tuned.is_last):
        return
    path = seed_network_path(setup, examples)
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".tmp")
    save_model(tuned.model, str(waiting))
    waiting.replace(path)


def seed_network(
    setup: Setup, seed: Sequence[Example], folder: Path, callbacks: Callbacks = (), say: Say = lambda line: None
) -> MessageClassifier:
    """Return the network of the seed by a recipe: the one that is kept, else learnt now and kept."""
    path = seed_network_path(setup, seed)
    network = setup.new_network()
    if path.exists():
        load_model(network, str(path))
        return network
    say(f"first, once: the network of the {len(seed)} seed messages")
    learnt = setup.fine_tuned(seed, None, folder, callbacks)
    keep_network(setup, seed, learnt)
    network.load_state_dict(learnt.model.state_dict())
    return network


def seed_network_path(setup: Setup, seed: Sequence[Example]) -> Path:
    """Return where the network of a recipe, its base model, these seed rows, the company's names and this code is kept."""
    parts = [
        setup.recipe.model_dump_json(exclude=_AFTER),
        setup.base_digest,
        fingerprint([example.row for example in seed]),
        digest_of_opinions() if setup.recipe.teacher_share else "",
        setup.company.model_dump_json(),
        digest_of_code("training.warm"),
    ]
    return var_dir() / "networks" / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.safetensors"
