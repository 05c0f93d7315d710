"""A tiny real base model on disk and rows it can learn, so that a whole training takes seconds."""

import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, set_seed

from configs.recipe import Recipe
from data.messages import LabelledMessage, Message
from tests.bundles import NOWHERE, WORDS

_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789@[]()?!.,'-_/:"
_FILLER = ["the", "my", "it", "is", "a", "and", "to", "on", "today", "from", "of", "for", "at", "with", "still", "one"]


def make_base_model(folder: Path) -> Path:
    """Write a 2-layer, 32-wide random BertModel with a WordPiece vocabulary; return its folder."""
    set_seed(1)
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **shape)
    BertModel(config).save_pretrained(folder)
    return folder


def tiny_recipe(base: Path, **changes: object) -> Recipe:
    """Return a recipe that learns the tiny rows in a few epochs of the tiny base model."""
    values = {"name": "tiny", "base_model": str(base), "max_tokens": 16, "epochs": 3, "batch_size": 16, "dropout": 0.1,
              "learning_rate": 2e-3, "head_learning_rate": 1e-2, "few_labels": 0, "precision": "fp32",
              "frozen_depth": None}  # fmt: skip
    return Recipe.model_validate(values | changes)


def tiny_rows(per_label: int, seed: int = 0, prefix: str = "t") -> list[LabelledMessage]:
    """Return `per_label` messages of each label and of `none`, told apart by two of the label's own words."""
    draw = random.Random(seed)
    words = {**WORDS, "none": NOWHERE}
    rows = []
    for number in range(per_label):
        for label, own in words.items():
            text = " ".join(
                [*draw.sample(own.split(), 2), *draw.sample(_FILLER, draw.randint(1, 6)), f"{seed}{number}"]
            )
            rows.append(LabelledMessage(Message(text, f"{prefix}-{label}-{number}"), label))
    return rows


def _tokenizer() -> PreTrainedTokenizerFast:
    words = [*" ".join([*WORDS.values(), NOWHERE]).split(), *_FILLER]
    pieces = [*_SPECIAL, *_LETTERS, *(f"##{letter}" for letter in _LETTERS), *words]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    named = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), _SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)
