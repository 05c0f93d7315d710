"""From examples to the tokenised `datasets.Dataset` that the Trainer reads."""

from collections.abc import Sequence

from datasets import Dataset
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from configs.company import Company
from configs.recipe import Recipe
from data.clean import clean
from training.examples import Example, targets_of


def to_dataset(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, labels: Sequence[str], recipe: Recipe,
    company: Company | None,
) -> Dataset:  # fmt: skip
    """Return one tokenised row an example, with `targets` (L floats), `doubt`, `weight` and `length` in tokens."""
    targets, doubt, weights = targets_of(examples, labels, recipe.second_share)
    texts = [clean(example.row.message.text, company) for example in examples]
    tokens = tokenizer(texts, truncation=True, max_length=recipe.max_tokens)
    return Dataset.from_dict({
        "input_ids": tokens["input_ids"],
        "attention_mask": tokens["attention_mask"],
        "targets": targets.tolist(),
        "doubt": doubt.tolist(),
        "weight": weights.tolist(),
        "length": [len(ids) for ids in tokens["input_ids"]],
    })  # fmt: skip
