"""What messages are about, as vectors: the packaged base model, frozen and mean-pooled; used to spread labelling."""

from collections.abc import Sequence

import numpy as np

_BATCH, _TOKENS = 64, 96


def embed_texts(cleaned: Sequence[str]) -> np.ndarray:
    """Return embeddings (N, 384) of cleaned texts, rows of length 1; about 200 texts a second on two cores."""
    import torch
    from transformers.models.auto.modeling_auto import AutoModel
    from transformers.models.auto.tokenization_auto import AutoTokenizer
    from transformers.utils import logging

    from training.encoder import MINILM, locate_base_model

    logging.disable_progress_bar()
    where = locate_base_model(MINILM)
    tokenizer, model = AutoTokenizer.from_pretrained(where), AutoModel.from_pretrained(where).eval()
    found = np.zeros((len(cleaned), model.config.hidden_size), dtype=np.float32)
    by_length = sorted(range(len(cleaned)), key=lambda row: len(cleaned[row]))  # little padding
    with torch.inference_mode():
        for start in range(0, len(cleaned), _BATCH):
            rows = by_length[start : start + _BATCH]
            texts = [cleaned[row] for row in rows]
            batch = tokenizer(texts, padding=True, truncation=True, max_length=_TOKENS, return_tensors="pt")
            mask = batch["attention_mask"].unsqueeze(-1)
            states = model(**batch).last_hidden_state
            found[rows] = ((states * mask).sum(1) / mask.sum(1)).numpy()
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
