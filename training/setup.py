"""What every training starts from: the recipe, the base model with its tokenizer, and the labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from datasets import Dataset
from transformers.models.auto.tokenization_auto import AutoTokenizer
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.trainer_callback import TrainerCallback

from configs.company import Company, load_company
from configs.errors import SwitchboardError
from configs.recipe import Recipe
from configs.taxonomy import Taxonomy, load_taxonomy
from training.checkpoints import last_checkpoint
from training.contrast import warm_up
from training.dataset import to_dataset
from training.device import on_best_device
from training.encoder import base_model_digest, locate_base_model
from training.examples import Example
from training.finetune import FineTuned, fine_tune
from training.model import MessageClassifier
from training.noise import NoisyRows
from training.robust import encoder_weights, keep_pretrained


@dataclass(frozen=True, slots=True)
class Setup:
    """A recipe made ready to train by."""

    recipe: Recipe
    base: str
    tokenizer: PreTrainedTokenizerBase
    taxonomy: Taxonomy
    company: Company

    @property
    def base_digest(self) -> str:
        """The digest of the base model's weights, or its hub id."""
        return base_model_digest(self.base)

    def tokenised(self, examples: Sequence[Example]) -> Dataset:
        """Return examples as the rows that a network reads."""
        return to_dataset(examples, self.tokenizer, self.taxonomy.labels, self.recipe, self.company)

    def new_network(self) -> MessageClassifier:
        """Return an untrained network on the base model, the same one each time."""
        torch.manual_seed(self.recipe.seed)
        dropout, within = self.recipe.dropout, self.recipe.encoder_dropout
        return MessageClassifier(self.base, len(self.taxonomy.labels), self.recipe.pooling, dropout, within)

    def fine_tuned(
        self, examples: Sequence[Example], holdout: Dataset | None, folder: Path, callbacks: tuple[TrainerCallback, ...],
        network: MessageClassifier | None = None,
    ) -> FineTuned:  # fmt: skip
        """Return a new network, or `network`, fine-tuned on examples; a killed run goes on from `folder`.

        A new one is first warmed up by contrast where the recipe says so.
        """
        rows = self.tokenised(examples)
        noisy = NoisyRows(examples, rows, self.tokenizer, self.recipe, self.company) if self.recipe.noise else None
        is_new, network = network is None, network or self.new_network()
        pretrained = encoder_weights(network)
        if is_new and self.recipe.warm_up_steps and last_checkpoint(folder) is None:
            with on_best_device(network):
                warm_up(network, self.tokenizer, rows, self.recipe, self.recipe.warm_up_steps)
        tuned = fine_tune(network, self.tokenizer, rows, holdout, self.recipe, folder, callbacks, noisy)
        keep_pretrained(tuned.model, pretrained, self.recipe.keep_pretrained)
        return tuned


def make_ready(recipe: Recipe) -> Setup:
    """Return the set-up of a recipe, or say in one line why its base model cannot be used."""
    base = locate_base_model(recipe.base_model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SwitchboardError(f"base_model={base}: cannot be loaded ({reason}); name a folder or a hub id") from None
    return Setup(recipe, base, tokenizer, load_taxonomy(), load_company())
