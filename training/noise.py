"""Training rows that are noised afresh each epoch, the same way for a seed, on every machine and after a resume."""

import random
from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from torch.utils.data import Dataset as TorchDataset
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState
from transformers.training_args import TrainingArguments

from configs.company import Company
from configs.recipe import Recipe
from data.clean import clean
from training.augment import augment
from training.examples import Example


class NoisyRows(TorchDataset[dict[str, Any]]):
    """Tokenised rows of which `recipe.noise` are noised in each epoch; targets stay as they are."""

    def __init__(
        self, examples: Sequence[Example], plain: Dataset, tokenizer: PreTrainedTokenizerBase, recipe: Recipe,
        company: Company | None,
    ) -> None:  # fmt: skip
        self._texts = [example.row.message.text for example in examples]
        self._plain, self._tokenizer, self._recipe, self._company = plain, tokenizer, recipe, company
        self._taught = {name: plain[name][:] for name in ("targets", "doubt", "weight")}
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Draw the noise of an epoch."""
        texts = [clean(self._noised(epoch, number), self._company) for number in range(len(self._texts))]
        tokens = self._tokenizer(texts, truncation=True, max_length=self._recipe.max_tokens)
        self._ids, self._masks = tokens["input_ids"], tokens["attention_mask"]

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return {
            "input_ids": self._ids[number],  # type: ignore[index]
            "attention_mask": self._masks[number],  # type: ignore[index]
        } | {name: values[number] for name, values in self._taught.items()}

    def _noised(self, epoch: int, number: int) -> str:
        rng = random.Random(f"{self._recipe.seed}-{epoch}-{number}")
        text = self._texts[number]
        return augment(text, rng) if rng.random() < self._recipe.noise else text


class NoiseEachEpoch(TrainerCallback):
    """Draws new noise when an epoch begins."""

    def __init__(self, rows: NoisyRows) -> None:
        self._rows = rows

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Draw the noise of the epoch that begins."""
        self._rows.begin(int(state.epoch or 0))
