"""A network's logits on labelled messages, before it is exported."""

import numpy as np
import torch
from datasets import Dataset
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from training.device import on_best_device
from training.model import MessageClassifier
from training.predictor import TOKENS_PER_BATCH, length_batches


def network_logits(
    model: MessageClassifier, tokenizer: PreTrainedTokenizerBase, rows: Dataset
) -> tuple[np.ndarray, np.ndarray]:
    """Return label logits (N, L) and doubt logits (N,) of tokenised rows, in their order."""
    model.eval()
    tokens = rows["input_ids"]
    logits = np.zeros((len(rows), model.label_head.out_features))
    doubt = np.zeros(len(rows))
    with torch.no_grad(), on_best_device(model) as device:
        for batch in length_batches(list(rows["length"]), TOKENS_PER_BATCH):
            padded = tokenizer.pad({"input_ids": [tokens[i] for i in batch]}, return_tensors="pt").to(device)
            found = model(padded["input_ids"], padded["attention_mask"])
            logits[batch], doubt[batch] = found[0].cpu().numpy(), found[1].cpu().numpy()
    return logits, doubt
