"""From labelled messages to the tokenised `datasets.Dataset` that the Trainer reads."""

from collections.abc import Sequence

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from configs.company import Company
from configs.recipe import Recipe
from data.clean import clean
from data.messages import LabelledMessage
from training.targets import soft_targets


def to_dataset(
    rows: Sequence[LabelledMessage], tokenizer: PreTrainedTokenizerBase, labels: Sequence[str], recipe: Recipe,
    company: Company | None,
) -> Dataset:  # fmt: skip
    """Return one tokenised row a message, with `targets` (L floats), `doubt` and `length` in tokens."""
    targets, doubt = soft_targets(rows, labels, recipe.second_share)
    texts = [clean(row.message.text, company) for row in rows]
    tokens = tokenizer(texts, truncation=True, max_length=recipe.max_tokens)
    return Dataset.from_dict({
        "input_ids": tokens["input_ids"],
        "attention_mask": tokens["attention_mask"],
        "targets": targets.tolist(),
        "doubt": doubt.tolist(),
        "length": [len(ids) for ids in tokens["input_ids"]],
    })  # fmt: skip
