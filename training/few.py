"""Choosing the method by the amount of data, and the road for few labels with its honest calibration."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from safetensors.torch import load_model, save_model

from configs.errors import SwitchboardError
from configs.taxonomy import NONE
from training.answers import Answers
from training.contrast import learn_by_contrast
from training.examples import Example
from training.finetune import FineTuned
from training.inference import network_logits
from training.model import MessageClassifier
from training.processes import process_count
from training.setup import Setup

Method = Literal["fine_tune", "contrastive"]


def choose_method(examples: Sequence[Example], setup: Setup) -> Method:
    """Return the recipe's method; `auto` is by contrast where the rarest label has fewer rows than `few_labels`."""
    if setup.recipe.method != "auto":
        return setup.recipe.method
    return "contrastive" if rarest(examples, setup) < setup.recipe.few_labels else "fine_tune"


def rarest(examples: Sequence[Example], setup: Setup) -> int:
    """Return the number of rows of the rarest label."""
    counts = Counter(example.row.label for example in examples)
    return min(counts[label] for label in setup.taxonomy.labels)


def learn_from_few(setup: Setup, examples: Sequence[Example], work: Path) -> tuple[FineTuned, Answers]:
    """Return a network learnt from every row, and what networks learnt without each row answer on it."""
    if process_count() > 1:
        raise SwitchboardError("so few labels are learnt in one process; start it without torchrun")
    folds = folds_of(examples, setup)
    logits, doubt = np.zeros((len(examples), len(setup.taxonomy.labels))), np.zeros(len(examples))
    for fold in range(setup.recipe.folds):
        inside, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        network = _learn(setup, [examples[at] for at in inside], work / f"fold-{fold}.safetensors")
        held_rows = setup.tokenised([examples[at] for at in held])
        logits[held], doubt[held] = network_logits(network, setup.tokenizer, held_rows)
    network = _learn(setup, examples, work / "whole.safetensors")
    return FineTuned(network, []), Answers([example.row for example in examples], logits, doubt)


def _learn(setup: Setup, examples: Sequence[Example], path: Path) -> MessageClassifier:
    """Return the network learnt from examples, read back where a killed run had already finished it."""
    network = setup.new_network()
    if path.exists():
        load_model(network, str(path))
        return network.eval()
    learn_by_contrast(network, setup.tokenizer, setup.tokenised(examples), setup.recipe)
    waiting = path.with_suffix(".tmp")
    save_model(network, str(waiting))
    waiting.replace(path)
    return network


def folds_of(examples: Sequence[Example], setup: Setup) -> np.ndarray:
    """Return each example's fold (N,), the labels spread evenly over them: the first two hold a row of each label."""
    draw = np.random.default_rng(setup.recipe.seed)
    folds = np.zeros(len(examples), dtype=int)
    for label in (*setup.taxonomy.labels, NONE):
        own = np.array([at for at, example in enumerate(examples) if example.row.label == label], dtype=int)
        if label != NONE and len(own) < 2:
            raise SwitchboardError(f"{len(own)} rows of {label!r}: at least two of each label are needed")
        folds[draw.permutation(own)] = np.arange(len(own)) % setup.recipe.folds
    return folds
